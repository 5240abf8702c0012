package reflection

import (
	"context"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

// version is one of the protocol, and whether the server has answered in it.
type version struct {
	alpha     bool
	confirmed bool
}

func (v version) String() string {
	if v.alpha {
		return "v1alpha"
	}
	return "v1"
}

// The bounds of what is asked ahead. Together, questions must be smaller than the
// smallest flow-control window, so that sending does not wait for an answer to be
// received.
const (
	maxWindow   = 128      // questions
	windowBytes = 32 << 10 // of their names
	extraBytes  = 32       // of a question besides its name, at most
)

const (
	maxFailures = 10                     // questions of one operation that may end a stream
	parting     = 100 * time.Millisecond // how long the server may take to end a stream
)

// open opens a stream of a version. The messages of both versions are the same on
// the wire.
func (r *Reader) open(ctx context.Context, v version) (grpc.ClientStream, error) {
	if len(r.opts.Metadata) > 0 {
		sent, _ := metadata.FromOutgoingContext(ctx)
		ctx = metadata.NewOutgoingContext(ctx, metadata.Join(sent, r.opts.Metadata))
	}
	desc := &grpc.StreamDesc{StreamName: "ServerReflectionInfo", ClientStreams: true, ServerStreams: true}
	return r.conn.NewStream(ctx, desc, "/grpc.reflection."+v.String()+".ServerReflection/ServerReflectionInfo",
		grpc.MaxCallRecvMsgSize(r.limits.AnswerBytes))
}

// finish ends a stream politely: the server may take it ill if it is reset.
func finish(stream grpc.ClientStream, cancel context.CancelFunc) {
	timer := time.AfterFunc(parting, cancel)
	defer timer.Stop()
	if stream.CloseSend() != nil {
		return
	}
	for range maxWindow { // answers that nobody asked for
		if stream.RecvMsg(new(refv1.ServerReflectionResponse)) != nil {
			return
		}
	}
}

// receive returns the next answer. A stream that ends is an error, since there is
// a question that was not answered.
func receive(stream grpc.ClientStream) (*refv1.ServerReflectionResponse, error) {
	res := new(refv1.ServerReflectionResponse)
	err := stream.RecvMsg(res)
	if err == io.EOF {
		return nil, status.Error(codes.Internal, "the server ended the stream before it answered")
	}
	return res, err
}

// contextError returns the status of a context that has ended.
func contextError(ctx context.Context) error { return status.FromContextError(ctx.Err()).Err() }

// isGone reports whether asking for anything else would fail as well.
func isGone(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Unimplemented, codes.Canceled, codes.DeadlineExceeded, codes.Unauthenticated, codes.PermissionDenied:
		return true
	}
	return false
}

// otherVersion reports whether a server that broke its first stream may do so
// because it does not know the version: it says UNIMPLEMENTED, or what is between
// resets the stream. A server that cannot be reached, or that refuses the caller,
// would do the same with the other version.
func otherVersion(err error) bool {
	switch status.Code(err) {
	case codes.Unimplemented, codes.Internal, codes.Unknown, codes.NotFound:
		return true
	}
	return false
}
