// Package dynclient calls gRPC services without generated code: it finds their
// schema at run time, from the server's reflection, from .proto folders or from
// descriptor sets.
//
//	c, err := dynclient.Dial(ctx, "127.0.0.1:50051")
//	if err != nil { ... }
//	defer c.Close()
//
// # Typed stubs
//
// A stub is made once, checked against the schema, and then called like a
// generated one. Its types may be plain structs, generated messages or
// [Dynamic]; how the fields of structs are matched is told in package handlers,
// whose adapters are the other half of this.
//
//	type HelloRequest struct{ Name string }
//	type HelloReply struct{ Message string }
//
//	sayHello, err := dynclient.Unary[HelloRequest, HelloReply](c, "tutorial.Greeter/SayHello")
//	if err != nil { ... } // no such method, or the types do not fit
//	reply, err := sayHello(ctx, &HelloRequest{Name: "Ada"})
//
// [ServerStream], [ClientStream] and [Bidi] are the same for streams, which are
// iter.Seq2 values.
//
// # Dynamic calls
//
// [Client.Invoke] makes a unary call with what is at hand: JSON, a map, or a
// message. [Client.Stream] opens a call of any shape.
//
//	var reply map[string]any
//	err := c.Invoke(ctx, "tutorial.Greeter/SayHello", map[string]any{"name": "Ada"}, &reply)
//
// # Options, deadlines, metadata
//
// All calls take grpc's call options: grpc.Header and grpc.Trailer,
// grpc.UseCompressor("gzip"), grpc.WaitForReady(true) and the like. [Timeout]
// and [Metadata] are options for what grpc-go keeps in the context, where it
// may be as well. Without a deadline a call has none.
//
// # Errors
//
// A call's error is an [*Error]: a status, for status.FromError and status.Code,
// that names the method and the target and whose details are resolved from the
// schema.
//
// # Connections
//
// Package grpc's own: every resolver, credential and interceptor is given as a
// grpc.DialOption. Without credentials the connection is plaintext. Retries and
// load balancing are grpc's service config, which [WithServiceConfig] sets:
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
// Interceptors and stats handlers see messages as opaque values that hold wire
// bytes. An interceptor may send one again, but not after the call has returned.
//
// Questions to a server's reflection carry the metadata of the context that they
// are asked with, that of the call included, and what [WithSchemaMetadata] adds.
//
// # Schemas
//
// Schemas from reflection are kept. They are read again after [Schema.Refresh], and
// after the server said UNIMPLEMENTED to a method that the schema has, at most
// once in ten seconds. Stubs follow: a call after a refresh checks the types
// again.
package dynclient
