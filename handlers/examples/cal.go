package examples

import (
	"context"
	"math"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The messages of protos/cal/SimpleCal.proto. AddRequest and MultiplyRequest
// have the same fields, so one struct is enough for both.
type (
	calRequest struct{ Number1, Number2 int32 }
	calReply   struct{ Number int32 }
)

func add(_ context.Context, in *calRequest) (*calReply, error) {
	return calResult(int64(in.Number1) + int64(in.Number2))
}

func multiply(_ context.Context, in *calRequest) (*calReply, error) {
	return calResult(int64(in.Number1) * int64(in.Number2))
}

// calResult returns an error of package status, which reaches the caller
// unchanged.
func calResult(n int64) (*calReply, error) {
	if n < math.MinInt32 || n > math.MaxInt32 {
		return nil, status.Errorf(codes.OutOfRange, "%d does not fit into 32 bits", n)
	}
	return &calReply{Number: int32(n)}, nil
}
