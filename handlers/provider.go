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
	// An earlier kind in this list has priority over a later one, and a longer
	// prefix over a shorter one.
	Pattern string

	// Rank orders the registrations of one pattern: the higher one goes first.
	// Two registrations of one pattern and rank are an error at all methods that
	// they cover.
	Rank int

	// Position is where the registration is made: a line of a Go program or of
	// a configuration file.
	Position diag.Position

	// Implementation answers the methods.
	Implementation Implementation

	// Declares, if set, is the service that Pattern names, as the provider knows
	// it. It is served and described from there if no schema declares it.
	Declares protoreflect.ServiceDescriptor

	// MayDecline says that its handlers may return [ErrDeclined]. The next
	// registration is then bound as well, and must fit the methods.
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

// ErrDeclined is returned by a handler to pass a call on to the next registration
// that covers the method. The handler must not have sent or set anything, metadata
// included, and must not have received more than one message, which the next handler
// receives again. Otherwise the call ends with INTERNAL. It ends with UNIMPLEMENTED if
// there is no next registration.
var ErrDeclined error = declinedError{}

type declinedError struct{}

func (declinedError) Error() string                { return "the handler declined the call" }
func (e declinedError) GRPCStatus() *status.Status { return status.New(codes.Unimplemented, e.Error()) }

// Provider brings registrations that may change while a server runs. A [Registry]
// is the provider of Go functions.
type Provider interface {
	// Name is the provider's name in messages.
	Name() string

	// Load returns the current registrations, and what is wrong with them. It is
	// called when a server starts and at each reload, never concurrently. In
	// place of registrations with errors it should return their last good version.
	//
	// A registration that has not changed should be the same pointer as before,
	// so that its handlers are kept. Nil answers keep the last ones.
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

// Answers are the registrations of one load, and own the connections and processes
// that they need. Each load returns new ones. Something that the registrations of
// several loads share is needed until the last of these loads is released.
type Answers interface {
	// Registrations returns the registrations, always in the same order.
	Registrations() []*Registration

	// Release is called once, when no call uses the registrations any more.
	Release()
}
