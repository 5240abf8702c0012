package client

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// mirror is a reflection service whose answers are data.
type mirror struct {
	refv1.UnimplementedServerReflectionServer
	services []string
	files    map[string]string // by path: the text form of a FileDescriptorProto, or other bytes
	symbols  map[string]string // paths, by symbol
	answer   func(ctx context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error)
}

// ServerReflectionInfo implements the service. If the function answer returns nil
// and no error, the data answers.
func (m *mirror) ServerReflectionInfo(stream grpc.BidiStreamingServer[refv1.ServerReflectionRequest, refv1.ServerReflectionResponse]) error {
	for {
		in, err := stream.Recv()
		if err != nil {
			return nil //nolint:nilerr // that is how a client ends it
		}
		var out *refv1.ServerReflectionResponse
		if m.answer != nil {
			if out, err = m.answer(stream.Context(), in); err != nil {
				return err
			}
		}
		if out == nil {
			out = m.usual(in)
		}
		out.OriginalRequest = in
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

func (m *mirror) usual(in *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
	path := in.GetFileByFilename()
	switch in.GetMessageRequest().(type) {
	case *refv1.ServerReflectionRequest_ListServices:
		return listOf(m.services...)
	case *refv1.ServerReflectionRequest_FileContainingSymbol:
		path = m.symbols[in.GetFileContainingSymbol()]
	}
	if text, ok := m.files[path]; ok {
		return fileOf(text)
	}
	return refusalOf(codes.NotFound, "not here")
}

func listOf(services ...string) *refv1.ServerReflectionResponse {
	list := new(refv1.ListServiceResponse)
	for _, name := range services {
		list.Service = append(list.Service, &refv1.ServiceResponse{Name: name})
	}
	return &refv1.ServerReflectionResponse{MessageResponse: &refv1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: list}}
}

// fileOf is an answer of one file, or of bytes that are not a file.
func fileOf(text string) *refv1.ServerReflectionResponse {
	fd := new(descriptorpb.FileDescriptorProto)
	content := []byte(text)
	if prototext.Unmarshal(content, fd) == nil {
		content, _ = proto.MarshalOptions{AllowPartial: true}.Marshal(fd)
	}
	return &refv1.ServerReflectionResponse{MessageResponse: &refv1.ServerReflectionResponse_FileDescriptorResponse{
		FileDescriptorResponse: &refv1.FileDescriptorResponse{FileDescriptorProto: [][]byte{content}},
	}}
}

func refusalOf(code codes.Code, message string) *refv1.ServerReflectionResponse {
	return &refv1.ServerReflectionResponse{MessageResponse: &refv1.ServerReflectionResponse_ErrorResponse{
		ErrorResponse: &refv1.ErrorResponse{ErrorCode: int32(code), ErrorMessage: message},
	}}
}

func startMirror(t testing.TB, m *mirror) string {
	t.Helper()
	return rig.LocalGRPC(t, func(s *grpc.Server) { refv1.RegisterServerReflectionServer(s, m) })
}

// goodFile declares good.Good/Do.
const goodFile = `name: "good.proto" package: "good" syntax: "proto3"
	message_type { name: "Msg" }
	service { name: "Good" method { name: "Do" input_type: ".good.Msg" output_type: ".good.Msg" } }`
