package examples

import (
	"context"
	"strconv"
	"unicode/utf8"
)

// The messages of protos/compute/compute.proto.
type (
	countRequest struct{ Helloworld string }
	countReply   struct{ Result string }
)

func count(_ context.Context, in *countRequest) (*countReply, error) {
	return &countReply{Result: strconv.Itoa(utf8.RuneCountInString(in.Helloworld))}, nil
}
