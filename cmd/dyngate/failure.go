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
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/jsonmsg"
)

// printFailure tells a person what went wrong, and what may help.
func printFailure(w *os.File, err error) {
	defer func() {
		for text, help := range hints {
			if strings.Contains(err.Error(), text) {
				fmt.Fprintln(w, help)
			}
		}
	}()
	var call *dynclient.Error
	var lookup *dynclient.LookupError
	switch ink := inkFor(w); {
	case errors.As(err, &call):
		printCallFailure(w, ink, call)
	case errors.As(err, &lookup):
		printLookupFailure(w, ink, lookup)
	default:
		fmt.Fprintf(w, "%s %s\n", ink.red("dyngate:"), printable(err.Error()))
	}
}

func printCallFailure(w io.Writer, ink ink, e *dynclient.Error) {
	name := code.Code(e.Code()).String() //nolint:gosec // any number has a name
	fmt.Fprintf(w, "%s %s\n", ink.red(fmt.Sprintf("%s (%d):", name, e.Code())), printable(e.Message()))
	fmt.Fprintln(w, ink.dim(fmt.Sprintf("  %s at %s", e.Method, e.Target)))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, d := range e.Details(ctx) {
		text, err := jsonmsg.Encode(d, e.Types(ctx), jsonmsg.EncodeOptions{Indent: true})
		if err != nil {
			text = fmt.Appendf(nil, "cannot be shown: %v", err)
		}
		title := string(d.ProtoReflect().Descriptor().FullName())
		if a, ok := d.(*anypb.Any); ok {
			title = a.GetTypeUrl() + ", a type that the schema does not have"
		}
		fmt.Fprintf(w, "  %s\n    %s\n", ink.bold(printable(title)), strings.ReplaceAll(string(text), "\n", "\n    "))
	}
}

func printLookupFailure(w io.Writer, ink ink, e *dynclient.LookupError) {
	what := fmt.Sprintf("there is no %s %q", e.Kind, e.Name)
	if e.Ambiguous {
		what = fmt.Sprintf("there is more than one %s %q", e.Kind, e.Name)
	}
	if len(e.Candidates) == 0 {
		fmt.Fprintf(w, "%s %s\n", ink.red("dyngate:"), what)
		return
	}
	fmt.Fprintf(w, "%s %s; there is\n", ink.red("dyngate:"), what)
	for _, c := range e.Candidates {
		fmt.Fprintln(w, "  "+c)
	}
}

// hints are what to do about connections that fail, by what grpc-go and crypto/tls
// say of them.
var hints = map[string]string{
	"error reading server preface":                    "the server may want TLS: try --tls",
	"first record does not look like a TLS handshake": "the server does not speak TLS: leave --tls and its kin out",
	"certificate signed by unknown authority":         "--ca FILE trusts the certificates in FILE",
	"x509: certificate is valid for":                  "--server-name NAME says which name the certificate must have",
	"x509: cannot validate certificate for":           "--server-name NAME says which name the certificate must have",
}

// printable replaces what a terminal would take for a command: servers write
// their messages as they like.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
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
