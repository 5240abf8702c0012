package httpconn

import (
	"context"
	"errors"
	"io"

	"connectrpc.com/connect"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
)

// typeURL comes before the name of a type in the Any of a status.
const typeURL = "type.googleapis.com/"

// statusError returns an error of a call as a status: io.EOF and nil stay.
func statusError(err error) error {
	var failed *connect.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		if _, ok := status.FromError(err); ok {
			return err
		}
		return status.FromContextError(err).Err()
	}
	if errors.Is(failed, io.EOF) && !connect.IsWireError(failed) {
		return io.EOF
	}
	st := &spb.Status{Code: int32(failed.Code()), Message: failed.Message()} //nolint:gosec // the codes are the same
	for _, d := range failed.Details() {
		st.Details = append(st.Details, &anypb.Any{TypeUrl: typeURL + d.Type(), Value: d.Bytes()})
	}
	return status.FromProto(st).Err()
}

// contextError returns the status of a context that has ended.
func contextError(ctx context.Context) error { return status.FromContextError(ctx.Err()).Err() }
