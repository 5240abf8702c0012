// Package discovery implements gRPC reflection and health for the current
// generation.
package discovery

import (
	"cmp"
	"context"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// RegisterReflection registers grpc.reflection.v1 and v1alpha for the result of
// current. Streams end when draining is closed, so that a client with an open
// stream does not delay a shutdown.
//
// A stream is sent each file once. After a reload all files are sent again, so
// that a client that keeps its stream sees the whole new schema. While a
// service is stale, each answer is complete, because the stale service's files
// may be older versions of files that were sent for others.
func RegisterReflection(reg grpc.ServiceRegistrar, current func() *dispatch.Generation, draining <-chan struct{}) {
	r := &reflector{current: current, draining: draining}
	v1.RegisterServerReflectionServer(reg, reflectionV1{reflector: r})
	v1alpha.RegisterServerReflectionServer(reg, reflectionV1Alpha{reflector: r})
}

// indexes are the indexes of generations.
var indexes = dispatch.NewDerived(newIndex)

// reflector answers the streams of both versions.
type reflector struct {
	current  func() *dispatch.Generation
	draining <-chan struct{}
}

type reflectionV1 struct {
	v1.UnimplementedServerReflectionServer
	*reflector
}

func (r reflectionV1) ServerReflectionInfo(stream v1.ServerReflection_ServerReflectionInfoServer) error {
	return r.serve(stream)
}

type reflectionV1Alpha struct {
	v1alpha.UnimplementedServerReflectionServer
	*reflector
}

func (r reflectionV1Alpha) ServerReflectionInfo(stream v1alpha.ServerReflection_ServerReflectionInfoServer) error {
	return r.serve(stream)
}

// serve answers a stream of either version: both encode the same messages.
func (r *reflector) serve(stream grpc.ServerStream) error {
	var generation int
	var sent map[string]bool
	for {
		req, err := r.receive(stream)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		g := r.current()
		if sent == nil || g.Number != generation || g.AnyStale() {
			generation, sent = g.Number, make(map[string]bool)
		}
		// Use no generation beyond one request: streams last longer than generations.
		s := session{index: indexes.Of(g), sent: sent}
		res, err := s.answer(stream.Context(), req)
		if err != nil {
			return err
		}
		if err := stream.SendMsg(res); err != nil {
			return err
		}
	}
}

// receive receives a request of a stream, or fails when the server drains.
func (r *reflector) receive(stream grpc.ServerStream) (*v1.ServerReflectionRequest, error) {
	req := new(v1.ServerReflectionRequest)
	received := make(chan error, 1)
	go func() { received <- stream.RecvMsg(req) }() // ends with the stream, if not before
	select {
	case err := <-received:
		return req, err
	case <-r.draining:
		return nil, status.Error(codes.Unavailable, "the server is shutting down")
	}
}

// session answers a stream from one generation.
type session struct {
	*index
	sent map[string]bool // files already sent on the stream, by path
}

// answer returns an error only if the stream must end.
func (s *session) answer(ctx context.Context, req *v1.ServerReflectionRequest) (*v1.ServerReflectionResponse, error) {
	res := &v1.ServerReflectionResponse{ValidHost: req.GetHost(), OriginalRequest: req}
	var fd protoreflect.FileDescriptor
	var err error
	switch q := req.GetMessageRequest().(type) {
	case *v1.ServerReflectionRequest_ListServices:
		res.MessageResponse = &v1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: s.list()}
		return res, nil
	case *v1.ServerReflectionRequest_AllExtensionNumbersOfType:
		var numbers []int32
		if numbers, err = s.extensionNumbers(protoreflect.FullName(q.AllExtensionNumbersOfType)); err == nil {
			res.MessageResponse = &v1.ServerReflectionResponse_AllExtensionNumbersResponse{AllExtensionNumbersResponse: &v1.ExtensionNumberResponse{
				BaseTypeName: q.AllExtensionNumbersOfType, ExtensionNumber: numbers,
			}}
			return res, nil
		}
	case *v1.ServerReflectionRequest_FileByFilename:
		fd, err = s.file(q.FileByFilename)
	case *v1.ServerReflectionRequest_FileContainingSymbol:
		fd, err = s.fileOf(protoreflect.FullName(q.FileContainingSymbol))
	case *v1.ServerReflectionRequest_FileContainingExtension:
		of, number := q.FileContainingExtension.GetContainingType(), q.FileContainingExtension.GetExtensionNumber()
		fd, err = s.fileOfExtension(protoreflect.FullName(of), protoreflect.FieldNumber(number))
	default:
		return nil, status.Error(codes.InvalidArgument, "the server does not know this kind of request")
	}
	if err == nil {
		var files [][]byte
		if files, err = s.closure(ctx, fd); err == nil {
			res.MessageResponse = &v1.ServerReflectionResponse_FileDescriptorResponse{
				FileDescriptorResponse: &v1.FileDescriptorResponse{FileDescriptorProto: files},
			}
			return res, nil
		}
	}
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	res.MessageResponse = &v1.ServerReflectionResponse_ErrorResponse{ErrorResponse: &v1.ErrorResponse{
		ErrorCode: int32(codes.NotFound), ErrorMessage: err.Error(),
	}}
	return res, nil
}

func (s *session) list() *v1.ListServiceResponse {
	list := new(v1.ListServiceResponse)
	for _, service := range slices.Concat(s.generation.Own(), s.generation.Services) {
		list.Service = append(list.Service, &v1.ServiceResponse{Name: string(service.Desc.FullName())})
	}
	slices.SortFunc(list.GetService(), func(a, b *v1.ServiceResponse) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return list
}

// closure encodes a file and its imports, except those already sent.
func (s *session) closure(ctx context.Context, fd protoreflect.FileDescriptor) (files [][]byte, err error) {
	queue, queued := []protoreflect.FileDescriptor{fd}, map[string]bool{fd.Path(): true}
	for ; len(queue) > 0; queue = queue[1:] {
		fd := queue[0]
		if len(files) == 0 || !s.sent[fd.Path()] {
			content, err := s.encode(ctx, fd)
			if err != nil {
				return nil, err
			}
			files = append(files, content)
			s.sent[fd.Path()] = true
		}
		for i := range fd.Imports().Len() {
			imp := fd.Imports().Get(i)
			if !imp.IsPlaceholder() && !queued[imp.Path()] {
				queued[imp.Path()] = true
				queue = append(queue, imp.FileDescriptor)
			}
		}
	}
	return files, nil
}
