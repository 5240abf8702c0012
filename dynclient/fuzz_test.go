package dynclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynclient"
)

// FuzzReflection answers reflection with arbitrary bytes: the client must not
// panic, and must not return a method that cannot be used.
func FuzzReflection(f *testing.F) {
	seed := func(files ...*descriptorpb.FileDescriptorProto) {
		var b []byte
		for _, fd := range files {
			content, err := proto.Marshal(fd)
			if err != nil {
				f.Fatal(err)
			}
			b = append(binary.AppendUvarint(b, uint64(len(content))), content...)
		}
		f.Add(b)
	}
	seed(serviceFile(f, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"))
	seed(serviceFile(f, "q.T", "t.proto"), file(f, `name: "t.proto" package: "q" message_type { name: "T" field { name: "t" number: 1 type: TYPE_MESSAGE type_name: ".q.T" } }`))
	seed(serviceFile(f, "q.T", "missing.proto"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := dynclient.New(&fuzzConn{files: split(b)})
		defer c.Close()
		m, err := c.Schema().MatchMethod(t.Context(), "M")
		if err != nil {
			return
		}
		if _, err := dynclient.Unary[dynclient.Dynamic, dynclient.Dynamic](c, m.Path()); err != nil && !m.IsStreamingClient() && !m.IsStreamingServer() {
			t.Error(err)
		}
		_ = m.NewRequest()
		_, _ = c.Schema().Match(t.Context(), "T")
	})
}

// split reads files, each after its length.
func split(b []byte) (files [][]byte) {
	for len(b) > 0 && len(files) < 20 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return append(files, b)
		}
		files = append(files, b[size:size+int(n)])
		b = b[size+int(n):]
	}
	return files
}

// fuzzConn is a connection to a server with only reflection, which always
// returns the same answers.
type fuzzConn struct{ files [][]byte }

func (*fuzzConn) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return errors.New("unknown method")
}

func (c *fuzzConn) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &fuzzStream{ctx: ctx, files: c.files}, nil
}

type fuzzStream struct {
	ctx   context.Context
	files [][]byte
	asked *refv1.ServerReflectionRequest
}

func (s *fuzzStream) Header() (metadata.MD, error) { return nil, nil }
func (s *fuzzStream) Trailer() metadata.MD         { return nil }
func (s *fuzzStream) CloseSend() error             { s.asked = nil; return nil }
func (s *fuzzStream) Context() context.Context     { return s.ctx }

func (s *fuzzStream) SendMsg(m any) error {
	s.asked = m.(*refv1.ServerReflectionRequest)
	return nil
}

func (s *fuzzStream) RecvMsg(m any) error {
	if s.asked == nil {
		return io.EOF
	}
	res := m.(*refv1.ServerReflectionResponse)
	if s.asked.GetListServices() != "" {
		res.MessageResponse = &refv1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: &refv1.ListServiceResponse{
			Service: []*refv1.ServiceResponse{{Name: "p.S"}, {Name: "\xff"}},
		}}
		return nil
	}
	files := make([][]byte, len(s.files))
	for i, f := range s.files {
		files[i] = append([]byte(nil), f...)
	}
	res.MessageResponse = &refv1.ServerReflectionResponse_FileDescriptorResponse{
		FileDescriptorResponse: &refv1.FileDescriptorResponse{FileDescriptorProto: files},
	}
	return nil
}
