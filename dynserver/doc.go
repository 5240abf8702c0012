// Package dynserver serves gRPC services straight from .proto files, without
// generated code:
//
//	reg := handlers.NewRegistry()
//	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(sayHello))
//	srv, err := dynserver.New(ctx, dynserver.Config{
//		Sources:  []dynserver.Source{dynserver.Path("protos")},
//		Handlers: reg,
//	})
//	if err != nil { ... } // all problems, each with its position
//	lis, err := net.Listen("tcp", "127.0.0.1:50051")
//	if err != nil { ... }
//	err = srv.Serve(ctx, dynserver.GRPC(lis)) // until ctx ends; then drains
//
// Reflection (v1 and v1alpha) and health are always served. With Config.Watch the
// server reloads when its sources change: the services of a new file are live at
// once, a broken edit does not affect what was good, and calls in progress go on
// undisturbed.
//
// The package has no global state: several servers can run in one process.
package dynserver
