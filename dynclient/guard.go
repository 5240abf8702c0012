package dynclient

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// The bounds of what a server may tell of itself between two refreshes. A file
// of some megabytes can be made to take gigabytes once it is read and linked:
// what it declares counts, too.
const (
	maxAnswer       = 16 << 20  // bytes of one answer
	maxReflected    = 256 << 20 // bytes of all files
	maxDeclarations = 1_000_000 // fields of the descriptor of one file, its comments included
	maxDeclared     = 8_000_000 // the same of all files
	maxNesting      = 64        // levels of messages in messages
	maxNames        = 16 << 20  // bytes of the full names in one file
)

// guard is the connection as the reflection client sees it. It gives each
// question its context, bounds the answers, keeps the files that it saw for the
// mender and mends what can be without asking further. One goroutine uses it at
// a time.
type guard struct {
	grpc.ClientConnInterface

	ctx     context.Context // of the question: the reflection client has one for all
	md      metadata.MD     // sent with every question
	version string          // of the protocol: v1 or v1alpha
	files   []fileUse
	failed  error // why answers are refused

	speaksV1 bool // the server does, or did when it last answered

	size, declared int
	public         publicImports
}

// fileUse is what the mender wants to know of a file.
type fileUse struct {
	name    string
	imports []string
	types   []protoreflect.FullName // that it uses and does not declare, sorted
}

// begin sets the context of a question.
func (g *guard) begin(ctx context.Context) context.CancelFunc {
	ctx, cancel := context.WithCancel(ctx)
	g.ctx = ctx
	return cancel
}

// NewStream implements grpc.ClientConnInterface.
func (g *guard) NewStream(_ context.Context, sd *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	// The reflection client also falls back to v1alpha, and stays there, when the
	// server is not available for once. The messages of both are the same.
	if g.speaksV1 {
		method = strings.Replace(method, ".v1alpha.", ".v1.", 1)
	}
	g.version = "v1"
	if strings.Contains(method, ".v1alpha.") {
		g.version = "v1alpha"
	}
	ctx := g.ctx
	if len(g.md) > 0 {
		sent, _ := metadata.FromOutgoingContext(ctx)
		ctx = metadata.NewOutgoingContext(ctx, metadata.Join(sent, g.md))
	}
	s, err := g.ClientConnInterface.NewStream(ctx, sd, method, append(opts, grpc.MaxCallRecvMsgSize(maxAnswer))...)
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
		if status.Code(err) == codes.Unimplemented {
			s.guard.speaksV1 = false
		}
		return err
	}
	s.guard.speaksV1 = s.guard.version == "v1"
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
		fd, err := g.read(content)
		if err != nil {
			if status.Code(err) == codes.ResourceExhausted {
				g.failed = err // it would be too much again
			}
			return err
		}
		use := fileUse{name: fd.GetName(), types: foreignTypes(fd)}
		if addShippedImports(fd, use.types) {
			if files[i], err = proto.Marshal(fd); err != nil {
				return err
			}
		}
		use.imports = fd.GetDependency()
		g.files = append(g.files, use)
	}
	return nil
}

// read reads a file that is not too much.
func (g *guard) read(content []byte) (*descriptorpb.FileDescriptorProto, error) {
	n, ok := countFields(content, fileDescriptor, maxNesting)
	if !ok {
		return nil, status.Error(codes.Internal, "a file of the answer is malformed")
	}
	g.size += len(content)
	g.declared += n
	if g.size > maxReflected || g.declared > maxDeclared || n > maxDeclarations {
		return nil, status.Error(codes.ResourceExhausted, "its files are too large")
	}
	fd := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(content, fd); err != nil {
		return nil, status.Error(codes.Internal, "a file of the answer is malformed")
	}
	if schema.NameBytes(fd) > maxNames {
		return nil, status.Error(codes.ResourceExhausted, "the names in its files are too long")
	}
	if !g.public.add(fd) {
		return nil, status.Error(codes.ResourceExhausted, "its files import each other publicly in too many ways")
	}
	return fd, nil
}

var fileDescriptor = new(descriptorpb.FileDescriptorProto).ProtoReflect().Descriptor()

// countFields counts the fields of a message and of those in it, without making
// anything of them. It reports whether it is a message, nested no deeper than
// depth.
func countFields(b []byte, md protoreflect.MessageDescriptor, depth int) (count int, ok bool) {
	if depth == 0 {
		return 0, false
	}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, false
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0, false
		}
		count++
		if fd := md.Fields().ByNumber(num); fd != nil && fd.Message() != nil && typ == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(b)
			below, ok := countFields(inner, fd.Message(), depth-1)
			if !ok {
				return 0, false
			}
			count += below
		}
		b = b[n:]
	}
	return count, true
}
