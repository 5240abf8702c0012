// Package handlers holds what answers a call: the [Handler] contract, the
// [Registry] that says which implementation answers which method, and typed
// adapters that turn plain Go functions into handlers.
//
// # The short way
//
//	reg := handlers.NewRegistry()
//	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(
//		func(ctx context.Context, in *HelloRequest) (*HelloReply, error) {
//			return &HelloReply{Message: "Hello, " + in.Name + "!"}, nil
//		}))
//
// HelloRequest and HelloReply may be plain Go structs (fields are matched to
// message fields by name, see "Messages" below), generated messages, or
// [Dynamic]. There is one adapter for each shape of method: [Unary],
// [ServerStream], [ClientStream] and [Bidi]. Streams are iter.Seq2 values.
//
// # How a function meets a method
//
// What is registered is an [Implementation]. It is bound to a method each time
// a schema is loaded: that is when a function's types are checked against the
// method's messages, once, with errors that name both sides. What Bind returns
// is the [Handler] that serves the calls.
//
// # Metadata, deadlines, errors
//
// A handler's context is the call's: it ends with the call's deadline or when
// the caller goes away. Metadata uses grpc's own functions, whatever protocol
// the call came by: metadata.FromIncomingContext reads what the caller sent;
// grpc.SetHeader, grpc.SendHeader and grpc.SetTrailer answer, on success as on
// error. The methods of the [Call] do the same, and [CallFrom] returns it to
// functions that only have the context. An error made by the grpc status package
// reaches the caller as it is, details included. context.DeadlineExceeded and context.Canceled become their
// codes. Any other error is logged with its text and reaches the caller as
// INTERNAL without it. The text around a wrapped status is dropped as well, so that
// nothing leaks by accident.
//
// # Messages
//
// Plain structs are read and written without reflection at call time, from a
// plan that is compiled when the method is bound:
//
//	type Order struct {
//		ID       string            `proto:"order_id"` // another name than the field's
//		Customer *Customer         // message: pointer (nil when absent) or value
//		Lines    []Line            // repeated
//		Labels   map[string]string // map
//		Status   string            // enum by name; int32 for its number
//		Paid     time.Time         // google.protobuf.Timestamp
//		Discount *int32            // proto3 optional: nil when absent
//		Card     *Card             // oneof payment: at most one member is non-nil
//		Cash     *Cash             // oneof payment
//	}
//
// A Go field matches the message field of the same name, letter case and
// underscores aside. A Go field that matches none is an error (tag it proto:"-" to
// leave it out); a message field that matches none is dropped when it is read.
// Strings and bytes are copied out of the request, or shared with [AliasInput].
package handlers
