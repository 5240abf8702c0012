package examples

import "context"

// The messages of protos/tutorial/message.proto, whose fields are required: a
// request without a name never reaches the handler.
type (
	greetRequest struct{ Name string }
	greetReply   struct{ Message string }
)

func greet(_ context.Context, in *greetRequest) (*greetReply, error) {
	return &greetReply{Message: "Hello, " + in.Name + "!"}, nil
}
