package handlers

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Registration maps a pattern to the implementation of the methods that it
// matches. It must not be changed after a server has it.
type Registration struct {
	// Pattern is one of:
	//
	//	pkg.Service/Method   one method
	//	pkg.Service          every method of a service
	//	pkg.**               every service in pkg and in the packages below it
	//	**                   everything
	//
	// An earlier kind in this list takes precedence over a later one, and a longer
	// prefix over a shorter one.
	Pattern string

	// Rank orders the registrations of one pattern: the highest takes precedence.
	// Two registrations with the same pattern and rank are an error for all
	// methods that they match.
	Rank int

	// Position is the registration's line in a Go program or a configuration file.
	Position diag.Position

	// Implementation answers the methods.
	Implementation Implementation

	// Declares, if not nil, is the provider's descriptor of the service in
	// Pattern. The server serves and describes the service with it if no schema
	// declares the service.
	Declares protoreflect.ServiceDescriptor

	// MayDecline reports that the handlers may return [ErrDeclined]. The next
	// registration is then bound too, and must fit the methods.
	MayDecline bool

	// Matching says what it means if the pattern matches no method.
	Matching Matching
}

// Matching says what it means if a registration matches no method.
type Matching int

// The values of Matching.
const (
	MatchExpected Matching = iota // it is reported as a hint, or as a warning if a method has a similar name
	MatchRequired                 // it is an error
	MatchOptional                 // it is not reported
)

// ErrDeclined is returned by a handler to pass a call to the next registration
// that matches the method. Before that, the handler must not send or set
// anything, metadata included, and may receive at most one message, which the next
// handler receives again. Otherwise the call ends with INTERNAL. It ends with
// UNIMPLEMENTED if there is no next registration.
var ErrDeclined error = declinedError{}

type declinedError struct{}

func (declinedError) Error() string                { return "the handler declined the call" }
func (e declinedError) GRPCStatus() *status.Status { return status.New(codes.Unimplemented, e.Error()) }

// Provider provides registrations that may change while a server runs. A
// [Registry] is the provider of Go functions.
type Provider interface {
	// Name is the provider's name in messages.
	Name() string

	// Load returns the current registrations and their problems. It is called when
	// a server starts and at each reload, never concurrently. Instead of a
	// registration with errors, it should return its last good version.
	//
	// A registration that has not changed should be the same pointer as before, so
	// that its handlers are reused. If the answers are nil, the server keeps the
	// previous ones.
	Load(ctx context.Context) (Answers, []*diag.Diagnostic)

	// Files returns the files and folders that the last Load read, or would have
	// read if they existed; nil if there are none. A server that watches its
	// sources also reloads when one of these changes. A folder includes all files
	// below it, except names that begin with a dot.
	//
	// A server that watches its sources calls Load at least twice when it starts,
	// because files may change before they are watched. It calls Files only
	// between loads.
	Files() []string
}

// Answers are the registrations of one load. They own the connections and
// processes that the registrations need. Each load returns new Answers. A
// resource that several loads share must remain usable until the last of them
// is released.
type Answers interface {
	// Registrations returns the registrations, always in the same order.
	Registrations() []*Registration

	// Release is called once, when no call uses the registrations any longer.
	Release()
}
