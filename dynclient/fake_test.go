package dynclient_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// fakeReflection is a reflection service with configurable answers.
type fakeReflection struct {
	refv1.UnimplementedServerReflectionServer
	files  []*descriptorpb.FileDescriptorProto // by their own names
	raw    [][]byte                            // the answer, if not nil
	before func(stream refv1.ServerReflection_ServerReflectionInfoServer) error
	after  func(stream refv1.ServerReflection_ServerReflectionInfoServer) error // called when the client has half-closed the stream
	asked  atomic.Int64
}

func (f *fakeReflection) ServerReflectionInfo(stream refv1.ServerReflection_ServerReflectionInfoServer) error {
	if f.before != nil {
		if err := f.before(stream); err != nil {
			return err
		}
	}
	for {
		req, err := stream.Recv()
		if err != nil {
			if f.after != nil {
				return f.after(stream)
			}
			return nil
		}
		if err := stream.Send(f.answer(req)); err != nil {
			return err
		}
	}
}

func (f *fakeReflection) answer(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
	f.asked.Add(1)
	res := &refv1.ServerReflectionResponse{ValidHost: req.GetHost(), OriginalRequest: req}
	switch ask := req.GetMessageRequest().(type) {
	case *refv1.ServerReflectionRequest_ListServices:
		list := &refv1.ListServiceResponse{}
		for _, fd := range f.files {
			for _, s := range fd.GetService() {
				list.Service = append(list.Service, &refv1.ServiceResponse{Name: fd.GetPackage() + "." + s.GetName()})
			}
		}
		res.MessageResponse = &refv1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: list}
	case *refv1.ServerReflectionRequest_FileByFilename:
		f.file(res, func(fd *descriptorpb.FileDescriptorProto) bool { return fd.GetName() == ask.FileByFilename })
	case *refv1.ServerReflectionRequest_FileContainingSymbol:
		f.file(res, func(fd *descriptorpb.FileDescriptorProto) bool { return declares(fd, ask.FileContainingSymbol) })
	}
	return res
}

// file answers with the first file that fits, or with NOT_FOUND.
func (f *fakeReflection) file(res *refv1.ServerReflectionResponse, fits func(*descriptorpb.FileDescriptorProto) bool) {
	var found [][]byte
	for _, fd := range f.files {
		if fits(fd) {
			b, _ := proto.Marshal(fd)
			found = append(found, b)
			break
		}
	}
	if f.raw != nil {
		found = f.raw
	}
	if found == nil {
		res.MessageResponse = &refv1.ServerReflectionResponse_ErrorResponse{
			ErrorResponse: &refv1.ErrorResponse{ErrorCode: int32(codes.NotFound), ErrorMessage: "not here"},
		}
		return
	}
	res.MessageResponse = &refv1.ServerReflectionResponse_FileDescriptorResponse{
		FileDescriptorResponse: &refv1.FileDescriptorResponse{FileDescriptorProto: found},
	}
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

// serveReflection serves only a reflection service.
func serveReflection(t testing.TB, register func(*grpc.Server)) string {
	t.Helper()
	srv := grpc.NewServer()
	register(srv)
	l := listen(t)
	done := make(chan struct{})
	go func() { // ends with Stop
		defer close(done)
		_ = srv.Serve(l)
	}()
	t.Cleanup(func() { srv.Stop(); <-done })
	return l.Addr().String()
}

func (f *fakeReflection) serve(t testing.TB) string {
	t.Helper()
	return serveReflection(t, func(s *grpc.Server) { refv1.RegisterServerReflectionServer(s, f) })
}

// file parses a descriptor.
func file(t testing.TB, text string) *descriptorpb.FileDescriptorProto {
	t.Helper()
	fd := new(descriptorpb.FileDescriptorProto)
	if err := prototext.Unmarshal([]byte(text), fd); err != nil {
		t.Fatal(err)
	}
	return fd
}

// serviceFile returns a file with the service p.S, whose method M takes and
// returns typ.
func serviceFile(t testing.TB, typ string, imports ...string) *descriptorpb.FileDescriptorProto {
	t.Helper()
	fd := file(t, fmt.Sprintf(`name: "s.proto" package: "p" syntax: "proto3"
		service { name: "S" method { name: "M" input_type: ".%s" output_type: ".%[1]s" } }`, typ))
	fd.Dependency = imports
	return fd
}

// alpha is a fakeReflection for the older version of the protocol, whose
// messages have the same fields.
type alpha struct {
	refv1alpha.UnimplementedServerReflectionServer
	f *fakeReflection
}

func (a alpha) ServerReflectionInfo(stream refv1alpha.ServerReflection_ServerReflectionInfoServer) error {
	for {
		old, err := stream.Recv()
		if err != nil {
			return err
		}
		req, res := new(refv1.ServerReflectionRequest), new(refv1alpha.ServerReflectionResponse)
		convert(old, req)
		convert(a.f.answer(req), res)
		if err := stream.Send(res); err != nil {
			return err
		}
	}
}

func convert(from, to proto.Message) {
	b, err := proto.Marshal(from)
	if err == nil {
		err = proto.Unmarshal(b, to)
	}
	if err != nil {
		panic(err)
	}
}
