// Package dynclient calls services of gRPC, Connect and gRPC-Web without generated
// code: it reads their schema at run time, from the server's reflection, .proto
// folders or descriptor sets.
//
//	c, err := dynclient.Dial(ctx, "127.0.0.1:50051")
//	if err != nil { ... }
//	defer c.Close()
//
// # Typed stubs
//
// A stub is made once, checked against the schema, and then called like a
// generated one. Its types may be plain structs, generated messages or
// [Dynamic]; see package handlers for how the fields of structs match.
//
//	type HelloRequest struct{ Name string }
//	type HelloReply struct{ Message string }
//
//	sayHello, err := dynclient.Unary[HelloRequest, HelloReply](c, "tutorial.Greeter/SayHello")
//	if err != nil { ... } // unknown method, or the types do not fit
//	reply, err := sayHello(ctx, &HelloRequest{Name: "Ada"})
//
// [ServerStream], [ClientStream] and [Bidi] do the same for streams, which are
// iter.Seq2 values.
//
// # Dynamic calls
//
// [Client.Invoke] makes a unary call with JSON, a map or a message.
// [Client.Stream] opens a call of any shape.
//
//	var reply map[string]any
//	err := c.Invoke(ctx, "tutorial.Greeter/SayHello", map[string]any{"name": "Ada"}, &reply)
//
// # Options, deadlines, metadata
//
// All calls take grpc's call options: grpc.Header and grpc.Trailer,
// grpc.UseCompressor("gzip"), grpc.WaitForReady(true) and the like. [Timeout]
// and [Metadata] are options too; a deadline and metadata in the context work
// as well. There is no default deadline.
//
// # Errors
//
// A call's error is an [*Error]. It names the method and the target, works with
// status.FromError and status.Code, and resolves the status's details from the
// schema.
//
// # Connections
//
// Connections are those of package grpc: [WithGRPC] sets resolvers, credentials
// and interceptors. Without credentials the connection is plaintext.
// [WithServiceConfig] sets retries and load balancing:
//
//	dynclient.WithServiceConfig(`{
//		"loadBalancingConfig": [{"round_robin": {}}],
//		"healthCheckConfig": {"serviceName": ""},
//		"methodConfig": [{
//			"name": [{"service": "tutorial.Greeter"}],
//			"retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.1s", "maxBackoff": "1s",
//				"backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}
//		}]
//	}`)
//
// A target that is a URL, such as http://127.0.0.1:8080, is called by the Connect
// protocol, gRPC-Web, or gRPC over net/http: see [WithHTTP].
//
// Interceptors and stats handlers see messages as opaque values that hold
// encoded bytes. An interceptor may send one again, but not after the call has
// returned.
//
// Requests to a server's reflection send the metadata of their context,
// including that of the call that causes them, and that of
// [WithSchemaMetadata].
//
// # Schemas
//
// Schemas from reflection are cached. They are read again after [Schema.Refresh],
// and after the server returned UNIMPLEMENTED for a method of the schema, at most
// once in ten seconds. The first call of a stub after a refresh checks its types
// again.
package dynclient
