package examples

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The messages of protos/firstmsg/first_msg.proto.
type (
	firstMsgRequest  struct{ Body string }
	firstMsgResponse struct{ Content string }
)

func firstMsg(_ context.Context, in *firstMsgRequest) (*firstMsgResponse, error) {
	switch {
	case in.Body == "":
		return &firstMsgResponse{Content: `{"code": 500, "data": "failure"}`}, nil
	case !json.Valid([]byte(in.Body)):
		return nil, status.Error(codes.InvalidArgument, "body is not JSON")
	default:
		return &firstMsgResponse{Content: `{"code": 200, "data": "success"}`}, nil
	}
}
