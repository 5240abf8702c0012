package handlers

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
)

// Handler serves RPCs of one method, of any of the four shapes.
//
// ServeRPC is called once for each RPC, concurrently. It receives with
// call.Recv, answers with call.Send, and ends the RPC by returning: nil is OK,
// an error its status (see the package documentation). A method that does not
// stream its responses must Send exactly once before returning nil.
//
// After ServeRPC has returned, call must not be used, and a message of it only if
// the handler still holds a reference to its buffers.
type Handler interface {
	ServeRPC(ctx context.Context, call Call) error
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, call Call) error

// ServeRPC calls f.
func (f HandlerFunc) ServeRPC(ctx context.Context, call Call) error { return f(ctx, call) }

// Method is a method of the schema together with what its messages refer to.
type Method struct {
	protoreflect.MethodDescriptor

	// Types resolves the message and extension types of the import closure of
	// the file that declares the method: what an Any inside its messages can
	// hold. It is never nil for a method of a running server.
	Types Types

	replies codec.Maker
}

// Path returns the method as registrations write it: pkg.Service/Method.
func (m *Method) Path() string {
	return string(m.Parent().FullName()) + "/" + string(m.Name())
}

// Types resolves message and extension types by name, URL or number, and lists
// the extensions of a message.
type Types = codec.Types

// Implementation is what is registered for methods: something that can be
// bound to a method descriptor. The adapters [Unary], [ServerStream],
// [ClientStream] and [Bidi] make one from a Go function.
//
// Bind is called when a schema is loaded, for each method that the
// registration answers, and again only when the file that declares the method,
// or one that it imports, has changed in meaning. It checks everything that can
// be checked without a call. Its error has a line for each mismatch, which says
// how to fix it. Bind may be called from any goroutine.
type Implementation interface {
	Bind(method *Method) (Handler, error)
}

// ImplementationFunc is a function as an [Implementation].
type ImplementationFunc func(method *Method) (Handler, error)

// Bind calls f.
func (f ImplementationFunc) Bind(method *Method) (Handler, error) { return f(method) }

// Middleware wraps a handler to do something around its calls.
type Middleware func(Handler) Handler
