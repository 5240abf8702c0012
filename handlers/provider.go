package handlers

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Registration says what answers the methods that a pattern covers. It must not
// be changed once a server has it.
type Registration struct {
	// Pattern is one of:
	//
	//	pkg.Service/Method   one method
	//	pkg.Service          every method of a service
	//	pkg.**               every service in pkg and in the packages below it
	//	**                   everything
	//
	// The first of these kinds goes before the next, and a longer prefix before
	// a shorter one.
	Pattern string

	// Rank orders the registrations of one pattern: the higher one goes first.
	// Two that have the same are an error, at all methods that they cover.
	Rank int

	// Position is where the registration is made: a line of a Go program or of
	// a configuration file.
	Position diag.Position

	// Implementation is what answers.
	Implementation Implementation

	// Declares, if set, is the service that Pattern names, as those who made the
	// registration know it. It is served and described so if no schema declares it.
	Declares protoreflect.ServiceDescriptor

	// MayDecline says that its handlers may return [ErrDeclined]. What goes
	// next is bound then as well, and must fit the methods.
	MayDecline bool
}

// ErrDeclined is what a handler returns that does not want a call: the next
// registration that covers the method serves it. The handler must not have sent
// or set anything, nor have received more than one message, which the next one
// receives again. The call ends with UNIMPLEMENTED if nothing comes next.
var ErrDeclined error = declinedError{}

type declinedError struct{}

func (declinedError) Error() string                { return "no handler wanted the call" }
func (e declinedError) GRPCStatus() *status.Status { return status.New(codes.Unimplemented, e.Error()) }

// Provider brings registrations that may change while a server runs. A [Registry]
// is the provider of Go functions.
type Provider interface {
	// Name stands for the provider in messages.
	Name() string

	// Load returns what answers now, and what is wrong with it. It is called
	// when a server starts and at each reload, never twice at a time. Where
	// there are errors the answers should be those that were good before.
	//
	// A registration that has not changed should be the same pointer as before:
	// its handlers are kept then. Nil answers mean that the last ones stay.
	Load(ctx context.Context) (Answers, []*diag.Diagnostic)

	// Files returns the files and folders that the last Load read, or would have
	// read if they existed; nil if there are none. A server that watches its sources
	// reloads when one of them changes, too. A folder stands for all files below it,
	// except for names that begin with a dot.
	//
	// A server that watches calls Load at least twice, as files may change before
	// they are watched. It calls Files between loads only.
	Files() []string
}

// Answers are the registrations of one load, with what they need: connections,
// processes. Each load has its own, so what a registration needs that several loads
// return is needed until the last of them is released.
type Answers interface {
	// Registrations returns them in any order, always the same.
	Registrations() []*Registration

	// Release is called once, when no call uses the registrations any more and
	// none will.
	Release()
}
