package handlers

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
)

// Handler serves the RPCs of one method of any shape.
//
// ServeRPC is called once for each RPC, concurrently. It receives with
// call.Recv, responds with call.Send, and ends the RPC by returning: nil means
// OK, an error is the status (see the package documentation). A method that
// does not stream its responses must call Send exactly once before returning
// nil.
//
// After ServeRPC has returned, call must not be used. A request message may be
// used only if the handler still holds a reference to its buffers.
type Handler interface {
	ServeRPC(ctx context.Context, call Call) error
}

// HandlerFunc is a function that implements [Handler].
type HandlerFunc func(ctx context.Context, call Call) error

// ServeRPC calls f.
func (f HandlerFunc) ServeRPC(ctx context.Context, call Call) error { return f(ctx, call) }

// Method is a method of the schema, with the types that its messages refer to.
type Method struct {
	protoreflect.MethodDescriptor

	// Types resolves the message and extension types in the import closure of the
	// method's file, for example for the content of an Any. It is never nil for a
	// method of a running server.
	Types Types

	replies codec.Maker
}

// Path returns the method's path: pkg.Service/Method.
func (m *Method) Path() string {
	return string(m.Parent().FullName()) + "/" + string(m.Name())
}

// Types resolves message and extension types by name, URL or number, and lists
// the extensions of a message.
type Types = codec.Types

// Implementation is registered for methods and returns their handlers. The
// adapters [Unary], [ServerStream], [ClientStream] and [Bidi] make one from a
// Go function.
//
// Bind is called when a schema is loaded, for each method of the registration,
// and again only after a change in the meaning of the method's file or one of
// its imports. It checks all that can be checked without a call. Its error has
// a line for each mismatch, which says how to fix it. Bind may be called from
// any goroutine.
type Implementation interface {
	Bind(method *Method) (Handler, error)
}

// ImplementationFunc is a function that implements [Implementation].
type ImplementationFunc func(method *Method) (Handler, error)

// Bind calls f.
func (f ImplementationFunc) Bind(method *Method) (Handler, error) { return f(method) }

// Middleware wraps a handler, to run code before and after its calls.
type Middleware func(Handler) Handler
