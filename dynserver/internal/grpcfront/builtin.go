package grpcfront

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// builtin is a method of a generated service, such as health: a grpc.Server could
// serve it, but then its calls would pass neither the limits nor the interceptors
// that all others pass.
type builtin struct {
	impl           any
	unary          grpc.MethodHandler // nil if the method streams
	stream         grpc.StreamHandler
	client, server bool // streams
}

// RegisterService implements grpc.ServiceRegistrar. It is not to be called once
// the server serves.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	info := grpc.ServiceInfo{Metadata: desc.Metadata}
	add := func(name string, b *builtin) {
		s.builtins["/"+desc.ServiceName+"/"+name] = b
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: name, IsClientStream: b.client, IsServerStream: b.server})
	}
	for _, m := range desc.Methods {
		add(m.MethodName, &builtin{impl: impl, unary: m.Handler})
	}
	for _, m := range desc.Streams {
		add(m.StreamName, &builtin{impl: impl, stream: m.Handler, client: m.ClientStreams, server: m.ServerStreams})
	}
	s.services[desc.ServiceName] = info
}

// GetServiceInfo describes the services that were registered.
func (s *Server) GetServiceInfo() map[string]grpc.ServiceInfo {
	infos := maps.Clone(s.services)
	for name, info := range infos {
		info.Methods = slices.Clone(info.Methods)
		infos[name] = info
	}
	return infos
}

func (b *builtin) serve(ctx context.Context, call *call, codec codec) error {
	stream := &messageStream{ServerStream: call.stream, call: call, codec: codec, many: b.client}
	if b.unary == nil {
		return b.stream(b.impl, stream)
	}
	reply, err := b.unary(b.impl, ctx, stream.RecvMsg, nil)
	if err != nil {
		return err
	}
	return stream.SendMsg(reply)
}

// messageStream is the stream of a call whose messages are generated ones.
type messageStream struct {
	grpc.ServerStream
	call  *call
	codec codec
	many  bool // requests
}

// RecvMsg implements grpc.ServerStream.
func (s *messageStream) RecvMsg(m any) error {
	data, err := s.call.Recv()
	if err != nil {
		return err
	}
	defer data.Free()
	if !s.many {
		if extra, err := s.call.Recv(); err == nil {
			extra.Free()
			return status.Error(codes.Unimplemented, "the method takes one request message, more came")
		}
	}
	if err := s.codec.messages.Unmarshal(data, m); err != nil {
		return status.Errorf(codes.Internal, "the request is not a valid message: %v", err)
	}
	return nil
}

// SendMsg implements grpc.ServerStream.
func (s *messageStream) SendMsg(m any) error {
	data, err := s.codec.messages.Marshal(m)
	if err != nil {
		return status.Errorf(codes.Internal, "the answer cannot be encoded: %v", err)
	}
	return s.call.Send(data)
}
