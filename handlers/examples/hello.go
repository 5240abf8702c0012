package examples

import "context"

// The messages of protos/hello/hello.proto. A Go field stands for the message
// field of the same name, letter case and underscores aside.
type (
	helloRequest struct {
		Data  string
		Skill skill // a message: by value here, so an absent one reads as empty
	}
	helloResponse struct {
		Result    string
		MapResult map[string]int32
	}
	skill struct{ Name string }
)

func hello(_ context.Context, in *helloRequest) (*helloResponse, error) {
	return &helloResponse{
		Result:    in.Data + in.Skill.Name + " this is gprc test service",
		MapResult: map[string]int32{"12": 1232},
	}, nil
}
