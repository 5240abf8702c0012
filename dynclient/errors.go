package dynclient

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
)

// Error is the failure of a call: a status, with the method and the target.
// status.Code, status.Convert and status.FromError understand it, and errors.As
// finds it.
type Error struct {
	Method string // pkg.Service/Method
	Target string // as it was dialled

	status *status.Status
	types  func(context.Context) Types
}

// Error implements error: method, target, code and message.
func (e *Error) Error() string {
	return fmt.Sprintf("%s at %s: %s: %s", e.Method, e.Target, codeName(e.status.Code()), e.status.Message())
}

// GRPCStatus returns the status of the call.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Code returns the status's code.
func (e *Error) Code() codes.Code { return e.status.Code() }

// Message returns the status's message.
func (e *Error) Message() string { return e.status.Message() }

// Details returns the details of the status, each as a message of its own type,
// or as the *anypb.Any that it came in if its type is in no source of the schema
// or it is malformed. The server is asked for types that the method's file does
// not import, until ctx ends; so this must come before the client is closed.
func (e *Error) Details(ctx context.Context) []proto.Message {
	details := e.status.Proto().GetDetails()
	types := e.Types(ctx)
	out := make([]proto.Message, len(details))
	for i, d := range details {
		out[i] = unpack(d, types)
	}
	return out
}

// Types resolves what the details hold, asking the server where the method's
// file does not tell, until ctx ends.
func (e *Error) Types(ctx context.Context) Types { return e.types(ctx) }

// LookupError says that a name is not in the schema, or that it is ambiguous.
type LookupError struct {
	Name       string // as it was looked up
	Kind       string // what was looked up: method, service, declaration
	Ambiguous  bool
	Candidates []string // what an ambiguous name may stand for, or similar names, nearest first, or else known ones; at most ten
	More       int      // how many are not among Candidates for being too many
}

// Error implements error. It lists the candidates.
func (e *LookupError) Error() string {
	list := strings.Join(e.Candidates, ", ")
	if e.More > 0 {
		list += fmt.Sprintf(" and %d more", e.More)
	}
	switch {
	case e.Ambiguous && list == "":
		return fmt.Sprintf("%s %q is ambiguous", e.Kind, e.Name)
	case e.Ambiguous:
		return fmt.Sprintf("%s %q is ambiguous: %s", e.Kind, e.Name, list)
	case list == "":
		return fmt.Sprintf("unknown %s %q", e.Kind, e.Name)
	case e.Similar():
		return fmt.Sprintf("unknown %s %q%s", e.Kind, e.Name, nearest.DidYouMean(e.Candidates))
	}
	return fmt.Sprintf("unknown %s %q; known names are %s", e.Kind, e.Name, list)
}

// Similar reports whether the candidates are names that the unknown one may have
// been meant to be.
func (e *LookupError) Similar() bool {
	last := func(name string) string { return name[strings.LastIndexAny(name, "./")+1:] }
	return slices.ContainsFunc(e.Candidates, func(c string) bool {
		return len(nearest.Names(last(e.Name), []string{last(c)}, 1)) > 0 || len(nearest.Names(e.Name, []string{c}, 1)) > 0
	})
}

// GRPCStatus returns UNIMPLEMENTED: as far as the client knows, the server has
// no such method.
func (e *LookupError) GRPCStatus() *status.Status { return status.New(codes.Unimplemented, e.Error()) }

// BrokenError says that the files that declare a service have errors, or that
// there is no service for all the files' errors.
type BrokenError struct {
	Name        protoreflect.FullName // of the service; may be empty
	Diagnostics []*diag.Diagnostic    // in its file, and in what that imports
}

// Error lists the errors.
func (e *BrokenError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		lines[i] = d.Error()
	}
	what := "the schema"
	if e.Name != "" {
		what = "service " + string(e.Name)
	}
	return fmt.Sprintf("%s is broken:\n%s", what, strings.Join(lines, "\n"))
}

// ReflectionError says that the server's reflection could not be used.
type ReflectionError struct {
	Target string
	Err    error // often a status: UNIMPLEMENTED from a server that has no reflection
}

// Error implements error.
func (e *ReflectionError) Error() string {
	st, ok := status.FromError(e.Err)
	switch {
	case !ok:
		return fmt.Sprintf("reflection at %s: %v", e.Target, e.Err)
	case st.Code() == codes.Unimplemented:
		return e.Target + " has no reflection service: the schema must come from files"
	}
	return fmt.Sprintf("reflection at %s: %s: %s", e.Target, codeName(st.Code()), st.Message())
}

// Unwrap returns e.Err.
func (e *ReflectionError) Unwrap() error { return e.Err }

// codeName returns a code as gRPC's documentation writes it: NOT_FOUND.
func codeName(c codes.Code) string { return code.Code(c).String() } //nolint:gosec // a code the API knows, or any number
