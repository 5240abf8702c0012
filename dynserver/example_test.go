package dynserver_test

import (
	"context"
	"log"
	"net"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

type HelloRequest struct{ Name string }

type HelloReply struct{ Message string }

func sayHello(_ context.Context, in *HelloRequest) (*HelloReply, error) {
	return &HelloReply{Message: "Hello, " + in.Name + "!"}, nil
}

// A server of one's own, that follows the files in protos.
func Example() {
	reg := handlers.NewRegistry()
	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(sayHello))
	srv, err := dynserver.New(context.Background(), dynserver.Config{
		Sources: []dynserver.Source{dynserver.Path("protos")}, Handlers: reg, Watch: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(srv.Serve(context.Background(), dynserver.GRPC(lis)))
}
