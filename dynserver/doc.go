// Package dynserver serves gRPC services straight from .proto files, without
// generated code:
//
//	reg := handlers.NewRegistry()
//	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(sayHello))
//	srv, err := dynserver.New(ctx, dynserver.Config{
//		Sources:  []dynserver.Source{dynserver.Path("protos")},
//		Handlers: reg,
//	})
//	if err != nil { ... } // everything that is wrong, each with its place
//	lis, err := net.Listen("tcp", "127.0.0.1:50051")
//	if err != nil { ... }
//	err = srv.Serve(ctx, dynserver.GRPC(lis)) // until ctx ends; then drains
//
// Reflection (v1 and v1alpha) and health are on. With Config.Watch the server
// follows its sources: a new file's services are live at once, a broken edit
// leaves what was good alone, and calls in progress never notice.
//
// There are no globals: two servers in one process do not meet.
package dynserver
