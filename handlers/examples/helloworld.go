package examples

import "context"

// The messages of protos/helloworld/helloworld.proto.
type (
	sayHelloRequest struct{ Name string }
	sayHelloReply   struct{ Message string }
)

func sayHello(_ context.Context, in *sayHelloRequest) (*sayHelloReply, error) {
	return &sayHelloReply{Message: "hello " + in.Name}, nil
}
