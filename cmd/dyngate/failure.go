package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/render"
)

// printFailure says what went wrong, and what may help.
func printFailure(w *os.File, err error) {
	var call *dynclient.Error
	var lookup *dynclient.LookupError
	var load *dynserver.LoadError
	switch ink := inkFor(w); {
	case errors.As(err, &call):
		printCallFailure(w, ink, call)
		var failed detailsError
		_ = errors.As(err, &failed)
		printDetails(w, ink, failed.details)
	case errors.As(err, &lookup):
		printLookupFailure(w, ink, lookup)
	case errors.As(err, &load):
		fmt.Fprintf(w, "%s cannot start:\n\n%s\n", ink.red("dyngate:"), ink.diagnostics(load.Error()))
	default:
		fmt.Fprintln(w, ink.lead("dyngate:", ink.red, " "+indented(err.Error())))
	}
	if help := hint(err); help != "" {
		fmt.Fprintln(w, help)
	}
}

func printCallFailure(w io.Writer, ink ink, e *dynclient.Error) {
	name := code.Code(e.Code()).String() //nolint:gosec // any number has a name
	fmt.Fprintln(w, ink.lead(fmt.Sprintf("%s (%d):", name, e.Code()), ink.red, " "+indented(e.Message())))
	fmt.Fprintln(w, ink.dim(fmt.Sprintf("  %s at %s", e.Method, e.Target)))
}

func printDetails(w io.Writer, ink ink, details []detail) {
	for _, d := range details {
		fmt.Fprintf(w, "  %s\n    %s\n", ink.bold(d.title), strings.ReplaceAll(d.text, "\n", "\n    "))
	}
}

// printLookupFailure prints the names that a name stands for, or that are known, on
// lines of their own.
func printLookupFailure(w io.Writer, ink ink, e *dynclient.LookupError) {
	if len(e.Candidates) == 0 || !e.Ambiguous && e.Similar() {
		fmt.Fprintln(w, ink.lead("dyngate:", ink.red, " "+indented(e.Error())))
		return
	}
	bare := *e
	bare.Candidates, bare.More = nil, 0
	text := " " + indented(bare.Error())
	if e.Ambiguous {
		text += ":"
	} else {
		text += "; known names are"
	}
	fmt.Fprintln(w, ink.lead("dyngate:", ink.red, text))
	for _, c := range e.Candidates {
		fmt.Fprintln(w, "  "+ink.bold(indented(c)))
	}
	if e.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", e.More)
	}
}

// detailsError is a call's error with the details of its status.
type detailsError struct {
	error
	details []detail
}

func (e detailsError) Unwrap() error { return e.error }

// detail is a detail of a status as it is printed: its type, and JSON.
type detail struct{ title, text string }

// resolving bounds how long the server is asked about the types of details.
const resolving = 5 * time.Second

// withDetails adds the details of a call's error to it. Call it before the client
// is closed: it may have to ask the server for their types.
func withDetails(ctx context.Context, err error) error {
	var call *dynclient.Error
	if !errors.As(err, &call) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, resolving)
	defer cancel()
	types := call.Types(ctx)
	failed := detailsError{error: err}
	for _, d := range call.GRPCStatus().Proto().GetDetails() {
		failed.details = append(failed.details, newDetail(d, types))
	}
	return failed
}

func newDetail(packed *anypb.Any, types dynclient.Types) detail {
	title, message := packed.GetTypeUrl()+", a type that the schema does not declare", proto.Message(packed)
	careful := proto.UnmarshalOptions{AllowPartial: true, Resolver: jsonmsg.AnyTypes(types, packed)}
	if m, err := anypb.UnmarshalNew(packed, careful); err == nil {
		title, message = string(m.ProtoReflect().Descriptor().FullName()), m
	}
	var text strings.Builder
	printer, err := render.New(&text, "json", render.Options{Types: types})
	if err == nil {
		err = printer.Print(message)
	}
	if err != nil {
		return detail{indented(title), "cannot be shown: " + indented(err.Error())}
	}
	return detail{indented(title), strings.TrimSuffix(text.String(), "\n")}
}

// hints are what to do about calls that fail on this side, by the messages of
// grpc-go, net/http and crypto/tls. The first that fits is printed.
var hints = []struct {
	code codes.Code
	text string
	help string
}{
	{codes.Unavailable, "error reading server preface", "the server may require TLS: try --tls"},
	{codes.Unavailable, "first record does not look like a TLS handshake", "the server does not use TLS: leave out the TLS flags, and write http:// instead of https://"},
	{codes.Unavailable, "HTTP/2 without TLS: ", needsHTTP2},
	{codes.Unavailable, "tls: no application protocol", needsHTTP2},
	{codes.Unknown, "415 Unsupported Media Type", "the server may not speak this protocol: --protocol names another one"},
	{codes.Unavailable, "certificate signed by unknown authority", "--ca FILE trusts the certificates in FILE"},
	{codes.Unavailable, "x509: certificate is valid for", "--server-name NAME sets the name that the certificate must have"},
	{codes.Unavailable, "x509: cannot validate certificate for", "--server-name NAME sets the name that the certificate must have"},
}

const needsHTTP2 = "bidirectional streams, such as reflection, and --protocol grpc need HTTP/2; the server may speak only HTTP/1.1 (--proto reads the schema from files), or require TLS (https://)"

// helpError is an error with a line that may help.
type helpError struct {
	error
	help string
}

func (e helpError) Unwrap() error { return e.error }

// hint returns what may help, or "".
func hint(err error) string {
	var helped helpError
	if errors.As(err, &helped) {
		return helped.help
	}
	st, _ := status.FromError(err)
	for _, h := range hints {
		if st.Code() == h.code && strings.Contains(err.Error(), h.text) {
			return h.help
		}
	}
	return ""
}
