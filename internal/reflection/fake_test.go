package reflection_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// fakeConn is a connection to a server with only reflection.
type fakeConn struct {
	files  []*descriptorpb.FileDescriptorProto
	answer func(s *fakeStream, req *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error)

	closure bool // answers contain imports too
	streams []*fakeStream
	ahead   int // maximum number of unanswered questions
}

func (*fakeConn) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return errors.New("there are no unary methods")
}

func (c *fakeConn) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	version, _, _ := strings.Cut(strings.TrimPrefix(method, "/grpc.reflection."), ".")
	s := &fakeStream{ctx: ctx, conn: c, version: version}
	c.streams = append(c.streams, s)
	return s, nil
}

// asked counts the questions that were answered.
func (c *fakeConn) asked() (n int) {
	for _, s := range c.streams {
		n += s.answered
	}
	return n
}

type fakeStream struct {
	ctx      context.Context
	conn     *fakeConn
	version  string
	sent     []*refv1.ServerReflectionRequest
	answered int
	closed   bool
	broken   error
}

func (*fakeStream) Header() (metadata.MD, error) { return nil, nil }
func (*fakeStream) Trailer() metadata.MD         { return nil }
func (s *fakeStream) CloseSend() error           { s.closed = true; return nil }
func (s *fakeStream) Context() context.Context   { return s.ctx }

func (s *fakeStream) SendMsg(m any) error {
	if s.broken != nil {
		return io.EOF
	}
	if _, err := proto.Marshal(m.(proto.Message)); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	s.sent = append(s.sent, m.(*refv1.ServerReflectionRequest))
	s.conn.ahead = max(s.conn.ahead, len(s.sent))
	return nil
}

func (s *fakeStream) RecvMsg(m any) error {
	if s.ctx.Err() != nil {
		return status.FromContextError(s.ctx.Err()).Err()
	}
	if s.broken != nil {
		return s.broken
	}
	if len(s.sent) == 0 {
		if !s.closed {
			return status.Error(codes.Internal, "the client waits for an answer to no question")
		}
		return io.EOF
	}
	req := s.sent[0]
	s.sent = s.sent[1:]
	var res *refv1.ServerReflectionResponse
	if s.conn.answer != nil {
		res, s.broken = s.conn.answer(s, req)
	}
	if s.broken != nil {
		return s.broken
	}
	if res == nil {
		res = s.conn.usual(req)
	}
	s.answered++
	proto.Merge(m.(proto.Message), res)
	return nil
}

// usual answers like a correct server.
func (c *fakeConn) usual(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
	var found *descriptorpb.FileDescriptorProto
	switch ask := req.GetMessageRequest().(type) {
	case *refv1.ServerReflectionRequest_ListServices:
		list := &refv1.ListServiceResponse{}
		for _, fd := range c.files {
			for _, s := range fd.GetService() {
				list.Service = append(list.Service, &refv1.ServiceResponse{Name: fd.GetPackage() + "." + s.GetName()})
			}
		}
		return &refv1.ServerReflectionResponse{OriginalRequest: req, MessageResponse: &refv1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: list}}
	case *refv1.ServerReflectionRequest_FileByFilename:
		found = c.file(ask.FileByFilename)
	case *refv1.ServerReflectionRequest_FileContainingSymbol:
		for _, fd := range c.files {
			if declares(fd, ask.FileContainingSymbol) {
				found = fd
				break
			}
		}
	}
	if found == nil {
		return refusal(req, codes.NotFound)
	}
	files := []*descriptorpb.FileDescriptorProto{found}
	for i := 0; c.closure && i < len(files); i++ {
		for _, path := range files[i].GetDependency() {
			if fd := c.file(path); fd != nil {
				files = append(files, fd)
			}
		}
	}
	return filesOf(req, files...)
}

func (c *fakeConn) file(path string) *descriptorpb.FileDescriptorProto {
	for _, fd := range c.files {
		if fd.GetName() == path {
			return fd
		}
	}
	return nil
}

func declares(fd *descriptorpb.FileDescriptorProto, symbol string) bool {
	name, ok := strings.CutPrefix(symbol, fd.GetPackage()+".")
	for _, m := range fd.GetMessageType() {
		if ok && m.GetName() == name {
			return true
		}
	}
	for _, s := range fd.GetService() {
		if ok && s.GetName() == name {
			return true
		}
	}
	return false
}

func refusal(req *refv1.ServerReflectionRequest, code codes.Code) *refv1.ServerReflectionResponse {
	return &refv1.ServerReflectionResponse{OriginalRequest: req, MessageResponse: &refv1.ServerReflectionResponse_ErrorResponse{
		ErrorResponse: &refv1.ErrorResponse{ErrorCode: int32(code), ErrorMessage: "refused"},
	}}
}

func filesOf(req *refv1.ServerReflectionRequest, files ...*descriptorpb.FileDescriptorProto) *refv1.ServerReflectionResponse {
	res := new(refv1.FileDescriptorResponse)
	for _, fd := range files {
		b, err := proto.Marshal(fd)
		if err != nil {
			panic(err)
		}
		res.FileDescriptorProto = append(res.FileDescriptorProto, b)
	}
	return &refv1.ServerReflectionResponse{
		OriginalRequest: req,
		MessageResponse: &refv1.ServerReflectionResponse_FileDescriptorResponse{FileDescriptorResponse: res},
	}
}

// file parses a descriptor.
func file(t testing.TB, text string) *descriptorpb.FileDescriptorProto {
	t.Helper()
	fd := new(descriptorpb.FileDescriptorProto)
	if err := prototext.Unmarshal([]byte(`syntax: "proto3" `+text), fd); err != nil {
		t.Fatal(err)
	}
	return fd
}
