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

// Error is the error of a call: a status, with the method and the target. It
// works with status.Code, status.Convert and status.FromError.
type Error struct {
	Method string // pkg.Service/Method
	Target string // as dialed

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

// Details returns the details of the status, each as a message of its own type.
// A detail that is malformed, or whose type is unknown to the schema, remains
// an *anypb.Any. Details looks up types with ctx if the method's file does not
// declare them, so call it before closing the client.
func (e *Error) Details(ctx context.Context) []proto.Message {
	details := e.status.Proto().GetDetails()
	types := e.Types(ctx)
	out := make([]proto.Message, len(details))
	for i, d := range details {
		out[i] = unpack(d, types)
	}
	return out
}

// Types resolves the types of the details. It looks up types with ctx if the
// method's file does not declare them.
func (e *Error) Types(ctx context.Context) Types { return e.types(ctx) }

// LookupError is the error for a name that is unknown or ambiguous.
type LookupError struct {
	Name       string // as looked up
	Kind       string // method, service or declaration
	Ambiguous  bool
	Candidates []string // the matches of an ambiguous name; else similar names, nearest first; else known names; at most ten
	More       int      // how many names Candidates leaves out
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

// Similar reports whether the name may be a misspelling of a candidate.
func (e *LookupError) Similar() bool {
	last := func(name string) string { return name[strings.LastIndexAny(name, "./")+1:] }
	return slices.ContainsFunc(e.Candidates, func(c string) bool {
		return len(nearest.Names(last(e.Name), []string{last(c)}, 1)) > 0 || len(nearest.Names(e.Name, []string{c}, 1)) > 0
	})
}

// GRPCStatus returns UNIMPLEMENTED: the client's schema has no such method.
func (e *LookupError) GRPCStatus() *status.Status { return status.New(codes.Unimplemented, e.Error()) }

// BrokenError is the error for a service whose files have errors, or for
// sources that have no service, because all files have errors.
type BrokenError struct {
	Name        protoreflect.FullName // of the service; may be empty
	Diagnostics []*diag.Diagnostic    // of its file and the files it imports
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

// ReflectionError is the error for a server whose reflection cannot be used.
type ReflectionError struct {
	Target string
	Err    error // often a status: UNIMPLEMENTED from a server without reflection
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

// codeName returns the name of a code in gRPC's documentation, such as
// NOT_FOUND.
func codeName(c codes.Code) string { return code.Code(c).String() } //nolint:gosec // any number is valid here
