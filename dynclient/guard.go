package dynclient

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The bounds of what a server may tell of itself between two refreshes.
const (
	maxReflected     = 256 << 20 // bytes
	maxReflectedFile = 64 << 20  // bytes of one answer
)

// guard is the connection as the reflection client sees it. It gives each
// question its context, bounds the answers, keeps the files that it saw for the
// mender and mends what can be without asking further. One goroutine uses it at
// a time.
type guard struct {
	grpc.ClientConnInterface

	ctx     context.Context // of the question: the reflection client has one for all
	version string          // of the protocol: v1 or v1alpha
	size    int
	files   []*descriptorpb.FileDescriptorProto
	failed  error // why answers are refused
}

// begin sets the context of a question.
func (g *guard) begin(ctx context.Context) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	g.ctx = ctx
	return cancel
}

// NewStream implements grpc.ClientConnInterface.
func (g *guard) NewStream(_ context.Context, sd *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	g.version = "v1"
	if strings.Contains(method, ".v1alpha.") {
		g.version = "v1alpha"
	}
	s, err := g.ClientConnInterface.NewStream(g.ctx, sd, method, append(opts, grpc.MaxCallRecvMsgSize(maxReflectedFile))...)
	if err != nil {
		return nil, err
	}
	return &guardedStream{ClientStream: s, guard: g}, nil
}

// guardedStream looks at what comes in.
type guardedStream struct {
	grpc.ClientStream
	guard *guard
}

func (s *guardedStream) RecvMsg(m any) error {
	if err := s.ClientStream.RecvMsg(m); err != nil {
		return err
	}
	switch m := m.(type) {
	case *refv1.ServerReflectionResponse:
		return s.guard.take(m.GetFileDescriptorResponse().GetFileDescriptorProto())
	case *refv1alpha.ServerReflectionResponse:
		return s.guard.take(m.GetFileDescriptorResponse().GetFileDescriptorProto())
	}
	return nil
}

// take keeps the files of an answer, and mends them in place.
func (g *guard) take(files [][]byte) error {
	for i, content := range files {
		g.size += len(content)
		if g.size > maxReflected {
			g.failed = status.Errorf(codes.ResourceExhausted, "its files are larger than %d bytes", maxReflected)
			return g.failed
		}
		fd := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(content, fd); err != nil {
			g.failed = status.Errorf(codes.Internal, "file %d of an answer is malformed", i+1)
			return g.failed
		}
		g.files = append(g.files, fd)
		if !addShippedImports(fd) {
			continue
		}
		mended, err := proto.Marshal(fd)
		if err != nil {
			return err
		}
		files[i] = mended
	}
	return nil
}
