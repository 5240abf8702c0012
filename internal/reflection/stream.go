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

// version is a version of the protocol.
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

// Limits on unanswered questions. Together they must be smaller than the
// smallest flow-control window, so that sending does not block until an answer
// is received.
const (
	maxWindow   = 128      // questions
	windowBytes = 32 << 10 // total length of their names
	extraBytes  = 32       // maximum size of a question without its name
)

const (
	maxFailures = 10                     // how many questions of one operation may end a stream
	endTimeout  = 100 * time.Millisecond // how long the server may take to end a stream
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

// finish ends a stream gracefully, because a server may log a reset as an
// error.
func finish(stream grpc.ClientStream, cancel context.CancelFunc) {
	timer := time.AfterFunc(endTimeout, cancel)
	defer timer.Stop()
	if stream.CloseSend() != nil {
		return
	}
	for range maxWindow { // discard unrequested answers
		if stream.RecvMsg(new(refv1.ServerReflectionResponse)) != nil {
			return
		}
	}
}

// receive returns the next answer. The end of the stream is an error, because a
// question is unanswered.
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

// isGone reports whether all other questions would fail too.
func isGone(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Unimplemented, codes.Canceled, codes.DeadlineExceeded, codes.Unauthenticated, codes.PermissionDenied:
		return true
	}
	return false
}

// otherVersion reports whether the first stream may have failed because the
// server does not know the version: the server returned UNIMPLEMENTED, or a
// proxy reset the stream. An unreachable server, or one that refuses the
// caller, would also fail with the other version.
func otherVersion(err error) bool {
	switch status.Code(err) {
	case codes.Unimplemented, codes.Internal, codes.Unknown, codes.NotFound:
		return true
	}
	return false
}
