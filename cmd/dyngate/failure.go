package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/render"
)

// printFailure tells a person what went wrong, and what may help.
func printFailure(w *os.File, err error) {
	var call *dynclient.Error
	var lookup *dynclient.LookupError
	switch ink := inkFor(w); {
	case errors.As(err, &call):
		printCallFailure(w, ink, call)
		var failed detailsError
		_ = errors.As(err, &failed)
		printDetails(w, ink, failed.details)
	case errors.As(err, &lookup):
		printLookupFailure(w, ink, lookup)
	default:
		fmt.Fprintf(w, "%s %s\n", ink.red("dyngate:"), printable(err.Error()))
	}
	if help := hint(err); help != "" {
		fmt.Fprintln(w, help)
	}
}

func printCallFailure(w io.Writer, ink ink, e *dynclient.Error) {
	name := code.Code(e.Code()).String() //nolint:gosec // any number has a name
	fmt.Fprintf(w, "%s %s\n", ink.red(fmt.Sprintf("%s (%d):", name, e.Code())), printable(e.Message()))
	fmt.Fprintln(w, ink.dim(fmt.Sprintf("  %s at %s", e.Method, e.Target)))
}

func printDetails(w io.Writer, ink ink, details []detail) {
	for _, d := range details {
		fmt.Fprintf(w, "  %s\n    %s\n", ink.bold(d.title), strings.ReplaceAll(d.text, "\n", "\n    "))
	}
}

func printLookupFailure(w io.Writer, ink ink, e *dynclient.LookupError) {
	bare := *e
	bare.Candidates = nil
	if len(e.Candidates) == 0 {
		fmt.Fprintf(w, "%s %s\n", ink.red("dyngate:"), bare.Error())
		return
	}
	fmt.Fprintf(w, "%s %s; there is\n", ink.red("dyngate:"), bare.Error())
	for _, c := range e.Candidates {
		fmt.Fprintln(w, "  "+c)
	}
}

// detailsError is a call's error with the details of its status.
type detailsError struct {
	error
	details []detail
}

func (e detailsError) Unwrap() error { return e.error }

// detail is one as it is printed: a type, and JSON.
type detail struct{ title, text string }

// resolving bounds how long details may take that the server must be asked about.
const resolving = 5 * time.Second

// withDetails adds its details to a call's error. That is done before the client
// is closed, for only the server may know what they hold.
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
	title, message := packed.GetTypeUrl()+", a type that the schema does not have", proto.Message(packed)
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
		return detail{printable(title), "cannot be shown: " + printable(err.Error())}
	}
	return detail{printable(title), strings.TrimSuffix(text.String(), "\n")}
}

// hints are what to do about calls that fail here and not at the server, by what
// grpc-go and crypto/tls say of them. The first that fits is given.
var hints = []struct {
	code codes.Code
	text string
	help string
}{
	{codes.Unavailable, "error reading server preface", "the server may want TLS: try --tls"},
	{codes.Unavailable, "first record does not look like a TLS handshake", "the server does not speak TLS: leave --tls and its kin out"},
	{codes.Unavailable, "certificate signed by unknown authority", "--ca FILE trusts the certificates in FILE"},
	{codes.Unavailable, "x509: certificate is valid for", "--server-name NAME says which name the certificate must have"},
	{codes.Unavailable, "x509: cannot validate certificate for", "--server-name NAME says which name the certificate must have"},
	{codes.ResourceExhausted, "larger than max", "if it is an answer that is too large: --max-recv-bytes N takes larger ones"},
}

// hint returns what may help; empty if nothing comes to mind.
func hint(err error) string {
	st, _ := status.FromError(err)
	for _, h := range hints {
		if st.Code() == h.code && strings.Contains(err.Error(), h.text) {
			return h.help
		}
	}
	return ""
}

// printable replaces what a terminal would take for a command, and indents all
// lines but the first: servers write their messages as they like, and must not
// make lines that seem to be ours.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	return strings.ReplaceAll(s, "\n", "\n  ")
}

// ink colours text, where there is somebody to see it.
type ink bool

// inkFor uses colours on a terminal, unless NO_COLOR (no-color.org) or a TERM
// without them is set.
func inkFor(f *os.File) ink {
	return ink(os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())))
}

func (i ink) red(s string) string  { return i.paint("1;31", s) }
func (i ink) bold(s string) string { return i.paint("1", s) }
func (i ink) dim(s string) string  { return i.paint("2", s) }

func (i ink) paint(style, s string) string {
	if !i {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}
