// Package handlers defines handlers, the registry and typed adapters: a
// [Handler] answers calls, a [Registry] maps methods to implementations, and an
// adapter turns a Go function into an implementation.
//
// # Example
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
// # Binding
//
// A registration holds an [Implementation]. When a schema is loaded, Bind
// checks the function's types against the method's messages, with errors that
// name both, and returns the [Handler] that serves the calls.
//
// # Metadata, deadlines, errors
//
// A handler's context ends with the call's deadline or when the caller
// disconnects. grpc's functions work for every protocol:
// metadata.FromIncomingContext returns the metadata of the request;
// grpc.SetHeader, grpc.SendHeader and grpc.SetTrailer set that of the response,
// on success and on error. The methods of [Call] do the same, and [CallFrom]
// returns the call to functions that only have the context. An error of the
// grpc status package reaches the caller unchanged, including its details.
// context.DeadlineExceeded and context.Canceled become their codes. Any other
// error is logged with its text and reaches the caller as INTERNAL without the
// text. The text around a wrapped status is dropped as well, so that nothing
// leaks by accident.
//
// # Messages
//
// Plain structs are read and written by a plan that is compiled when the method
// is bound, without reflection at call time:
//
//	type Order struct {
//		ID       string            `proto:"order_id"` // differs from the message field's name
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
// A Go field matches the message field of the same name, ignoring case and
// underscores. A Go field without a match is an error (tag it proto:"-" to
// leave it out); a message field without a match is ignored when a message is
// read. Strings and bytes are copied from the request, or share its memory with
// [AliasInput].
package handlers
