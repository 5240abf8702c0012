package handlers

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec"
)

var _ grpc.ServiceRegistrar = (*Registry)(nil)

// RegisterService implements grpc.ServiceRegistrar: generated code registers an
// implementation of a service with it, as in pb.RegisterGreeterServer(reg, impl).
// Such a service is checked against the schema that declares it. If none does, it
// is served and described as the generated code declares it.
//
// An implementation that lacks methods is an error, as those of [Registry.Handle]. So
// is a service that neither a schema nor the program's generated code declares.
func (r *Registry) RegisterService(desc *grpc.ServiceDesc, impl any) {
	at := callerPosition()
	if err := checkService(desc, impl); err != nil {
		r.refuse(at, err)
		return
	}
	reg := &Registration{Pattern: desc.ServiceName, Position: at, Matching: MatchRequired}
	service := &generatedService{impl: impl, unary: make(map[protoreflect.Name]grpc.MethodHandler), streams: make(map[protoreflect.Name]grpc.StreamDesc)}
	for _, m := range desc.Methods {
		service.unary[protoreflect.Name(m.MethodName)] = m.Handler
	}
	for _, s := range desc.Streams {
		service.streams[protoreflect.Name(s.StreamName)] = s
	}
	if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(desc.ServiceName)); err == nil {
		reg.Declares, _ = d.(protoreflect.ServiceDescriptor)
		service.own = reg.Declares
	}
	if impl != nil {
		reg.Implementation = service
	}
	r.register(reg)
}

// checkService checks what the compiler cannot: that impl has the methods that the
// generated code calls. A nil impl is reported later, like that of other registrations.
func checkService(desc *grpc.ServiceDesc, impl any) error {
	if desc == nil {
		return errors.New("the grpc.ServiceDesc is nil")
	}
	if desc.HandlerType == nil || impl == nil {
		return nil
	}
	pointer := reflect.TypeOf(desc.HandlerType)
	if pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Interface {
		return fmt.Errorf("the grpc.ServiceDesc of %q is wrong: its HandlerType is %s, not a pointer to an interface", desc.ServiceName, pointer)
	}
	if want, have := pointer.Elem(), reflect.TypeOf(impl); !have.Implements(want) {
		return fmt.Errorf("%s does not implement %s, which service %s needs", have, want, desc.ServiceName)
	}
	return nil
}

// generatedService answers the methods of a service by generated code.
type generatedService struct {
	impl    any
	own     protoreflect.ServiceDescriptor // as the generated code declares it; nil if that is unknown
	unary   map[protoreflect.Name]grpc.MethodHandler
	streams map[protoreflect.Name]grpc.StreamDesc
}

// Bind implements [Implementation].
func (s *generatedService) Bind(m *Method) (Handler, error) {
	unary, isUnary := s.unary[m.Name()]
	stream, isStream := s.streams[m.Name()]
	if !isUnary && !isStream {
		return nil, errors.New("the generated code has no such method")
	}
	generated := codec.Shape{StreamsRequests: stream.ClientStreams, StreamsResponses: stream.ServerStreams}
	if shape := codec.ShapeOf(m); shape != generated {
		return nil, fmt.Errorf("the method is %s, and %s in the generated code", shape, generated)
	}
	if s.own != nil {
		if own := s.own.Methods().ByName(m.Name()); own != nil {
			if err := codec.CompareMethods(own, m); err != nil {
				return nil, err
			}
		}
	}
	if isUnary {
		return HandlerFunc(func(ctx context.Context, call Call) error { return serveUnary(ctx, call, unary, s.impl) }), nil
	}
	return HandlerFunc(func(ctx context.Context, call Call) error {
		return stream.Handler(s.impl, &generatedStream{ctx, call})
	}), nil
}

func serveUnary(ctx context.Context, call Call, h grpc.MethodHandler, impl any) error {
	stream := &generatedStream{ctx, call}
	reply, err := h(impl, ctx, stream.RecvMsg, nil)
	if err != nil {
		return err
	}
	return stream.SendMsg(reply)
}

// generatedStream is a call as generated code sees it.
type generatedStream struct {
	ctx  context.Context //nolint:containedctx // grpc.ServerStream has one
	call Call
}

func (s *generatedStream) Context() context.Context        { return s.ctx }
func (s *generatedStream) SetHeader(md metadata.MD) error  { return s.call.SetHeader(md) }
func (s *generatedStream) SendHeader(md metadata.MD) error { return s.call.SendHeader(md) }
func (s *generatedStream) SetTrailer(md metadata.MD)       { s.call.SetTrailer(md) }

func (s *generatedStream) RecvMsg(v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is not a protobuf message", v)
	}
	data, err := s.call.Recv()
	if err != nil {
		return err
	}
	defer data.Free()
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	if err := codec.Decode(buf.ReadOnlyData(), m, s.call.Method().Types); err != nil {
		return decodeError(err)
	}
	return nil
}

func (s *generatedStream) SendMsg(v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is not a protobuf message", v)
	}
	buf, err := codec.Encode(m)
	if err != nil {
		return fmt.Errorf("cannot encode the response: %w", err)
	}
	return s.call.Send(mem.BufferSlice{buf})
}
