package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// generated is an implementation of a generated service.
type generated struct {
	testpb.UnimplementedTestServiceServer
}

func (generated) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if handlers.MethodFrom(ctx) == nil {
		return nil, errors.New("there is no call")
	}
	if in.GetFillUsername() {
		return nil, status.Error(codes.PermissionDenied, "no names")
	}
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, grpc.SetHeader(ctx, metadata.Pairs("by", "generated"))
}

func (generated) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	for range in.GetResponseParameters() {
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
	stream.SetTrailer(metadata.Pairs("by", "generated"))
	return nil
}

func (generated) StreamingInputCall(stream grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	size := 0
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)})
		}
		if err != nil {
			return err
		}
		size += len(in.GetPayload().GetBody())
	}
}

func (generated) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	for {
		in, err := stream.Recv()
		if err != nil {
			return map[bool]error{false: err}[err == io.EOF]
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
}

// interopSchema declares a part of what the generated code declares, with changes.
func interopSchema(changes ...string) dynserver.Source {
	const text = `syntax = "proto3"; package grpc.testing;
message SimpleRequest { int32 response_size = 2; Payload payload = 3; bool fill_username = 4; string more = 99; }
message SimpleResponse { Payload payload = 1; string username = 2; }
message Payload { int32 type = 7; bytes body = 2; }
service TestService { rpc UnaryCall(SimpleRequest) returns (SimpleResponse); }`
	return dynserver.FS("schema", fstest.MapFS{"test.proto": {Data: []byte(strings.NewReplacer(changes...).Replace(text))}})
}

// TestGeneratedService serves an implementation of generated code, without a
// schema and with one, beside a service that has no generated code.
func TestGeneratedService(t *testing.T) {
	t.Parallel()
	for name, sources := range map[string][]dynserver.Source{"no schema": nil, "schema": {interopSchema()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := rig.Config(t, lab.Proto, lab.Register)
			config.Sources = append(config.Sources, sources...)
			testpb.RegisterTestServiceServer(config.Handlers, generated{})
			s := rig.Local(t, config)
			client := testpb.NewTestServiceClient(s.Conn)
			payload := &testpb.Payload{Body: []byte("some bytes")}
			var header metadata.MD
			out, err := client.UnaryCall(rig.Context(t), &testpb.SimpleRequest{Payload: payload}, grpc.Header(&header))
			rig.Must(t, err)
			if string(out.GetPayload().GetBody()) != "some bytes" || len(header.Get("by")) != 1 {
				t.Errorf("got %v, %v", out, header)
			}
			_, err = client.UnaryCall(rig.Context(t), &testpb.SimpleRequest{FillUsername: true})
			rig.WantCode(t, err, codes.PermissionDenied)
			_, err = rig.Invoke(rig.Context(t), s.Conn, "/grpc.testing.TestService/UnaryCall", []byte("\xff\xff"))
			rig.WantCode(t, err, codes.Internal)
			if _, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, nil); err != nil {
				t.Errorf("the other service: %v", err)
			}
			if sources == nil {
				checkGeneratedStreams(t, s, client, payload)
			}
		})
	}
}

func checkGeneratedStreams(t *testing.T, s *rig.Server, client testpb.TestServiceClient, payload *testpb.Payload) {
	t.Helper()
	_, err := client.EmptyCall(rig.Context(t), new(testpb.Empty))
	rig.WantCode(t, err, codes.Unimplemented)
	down, err := client.StreamingOutputCall(rig.Context(t), &testpb.StreamingOutputCallRequest{Payload: payload, ResponseParameters: make([]*testpb.ResponseParameters, 3)})
	rig.Must(t, err)
	n := 0
	for ; err == nil; n++ {
		_, err = down.Recv()
	}
	if n != 4 || err != io.EOF || len(down.Trailer().Get("by")) != 1 {
		t.Errorf("%d answers, then %v, %v", n-1, err, down.Trailer())
	}
	up, err := client.StreamingInputCall(rig.Context(t))
	rig.Must(t, err)
	for range 3 {
		rig.Must(t, up.Send(&testpb.StreamingInputCallRequest{Payload: payload}))
	}
	sum, err := up.CloseAndRecv()
	rig.Must(t, err)
	if sum.GetAggregatedPayloadSize() != 30 {
		t.Errorf("got %v", sum)
	}
	chat, err := client.FullDuplexCall(rig.Context(t))
	rig.Must(t, err)
	for range 3 {
		rig.Must(t, chat.Send(&testpb.StreamingOutputCallRequest{Payload: payload}))
		_, err := chat.Recv()
		rig.Must(t, err)
	}
	rig.Must(t, chat.CloseSend())
	if _, err := chat.Recv(); err != io.EOF {
		t.Errorf("the end is %v", err)
	}

	// Reflection describes the service to clients without generated code.
	c, err := dynclient.Dial(rig.Context(t), s.Addr)
	rig.Must(t, err)
	defer c.Close()
	m, err := c.Schema().Method(rig.Context(t), "grpc.testing.TestService/UnaryCall")
	rig.Must(t, err)
	if m.Input().FullName() != "grpc.testing.SimpleRequest" {
		t.Errorf("found %v", m.Input().FullName())
	}
	if report, err := s.Reload(t.Context()); err != nil || report.Applied {
		t.Errorf("nothing has changed, but: %+v, %v", report, err)
	}
}

// TestGeneratedServiceMustFit checks generated code against schemas.
func TestGeneratedServiceMustFit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		schema dynserver.Source
		want   string
	}{
		"method":  {interopSchema("rpc UnaryCall", "rpc Other"), "the generated code has no such method"},
		"shape":   {interopSchema("returns (", "returns (stream "), "server-streaming"},
		"message": {interopSchema("(SimpleRequest)", "(SimpleResponse)"), "the message grpc.testing.SimpleResponse is grpc.testing.SimpleRequest in the generated code"},
		"field":   {interopSchema("bytes body", "string body"), "the field grpc.testing.Payload.body is string, and bytes in the generated code"},
		"list":    {interopSchema("Payload payload = 1", "repeated Payload payload = 1"), "is repeated grpc.testing.Payload, and grpc.testing.Payload in"},
		"broken":  {interopSchema("Payload payload = 1", "Payloat payload = 1"), "Payloat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dynserver.Config{Sources: []dynserver.Source{test.schema}, Handlers: handlers.NewRegistry()}
			testpb.RegisterTestServiceServer(config.Handlers, generated{})
			_, err := rig.New(t, config)
			rig.WantText(t, strings.Join(strings.Fields(fmt.Sprint(err)), " "), test.want)
		})
	}
	config := dynserver.Config{Handlers: handlers.NewRegistry()}
	config.Handlers.RegisterService(&testpb.TestService_ServiceDesc, nil)
	testpb.RegisterTestServiceServer(config.Handlers, generated{})
	testpb.RegisterTestServiceServer(config.Handlers, generated{})
	_, err := rig.New(t, config)
	rig.WantText(t, fmt.Sprint(err), `nil implementation for "grpc.testing.TestService"`, "is registered twice: here and at generated_test.go:")
}

// TestGeneratedServiceRegistration checks that wrong registrations of generated services
// are reported at their positions.
func TestGeneratedServiceRegistration(t *testing.T) {
	t.Parallel()
	unlinked := &grpc.ServiceDesc{
		ServiceName: "un.Known", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Call"}},
	}
	const (
		known   = `syntax = "proto3"; package un; message M {} service Known { rpc Call(M) returns (M); }`
		broken  = `syntax = "proto3"; package un; message M {} service Known { rpc Call(M) returns (Nope); }`
		similar = `syntax = "proto3"; package un; message M {} service Knowm { rpc Call(M) returns (M); }`
	)
	for name, test := range map[string]struct {
		desc   *grpc.ServiceDesc
		impl   any
		schema string
		want   string // "" if it is good
		not    string
	}{
		"wrong type":     {&testpb.TestService_ServiceDesc, 5, "", "int does not implement grpc_testing.TestServiceServer", ""},
		"missing method": {&testpb.TestService_ServiceDesc, struct{ lacking }{}, "", "does not implement grpc_testing.TestServiceServer", ""},
		"no description": {nil, generated{}, "", "the grpc.ServiceDesc is nil", ""},
		"no interface":   {&grpc.ServiceDesc{ServiceName: "un.Known", HandlerType: 5}, generated{}, known, "HandlerType is int", ""},
		"unlinked":       {unlinked, generated{}, "", `no method matches "un.Known": no schema declares it, and the program has no descriptor of it`, "hint"},
		"similar":        {unlinked, generated{}, similar, `did you mean "un.Knowm"`, ""},
		"declared":       {unlinked, generated{}, known, "", ""},
		"broken":         {unlinked, generated{}, broken, "Nope", "no method matches"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := dynserver.Config{Handlers: handlers.NewRegistry()}
			if test.schema != "" {
				config.Sources = []dynserver.Source{dynserver.FS("schema", fstest.MapFS{"a.proto": {Data: []byte(test.schema)}})}
			}
			config.Handlers.RegisterService(test.desc, test.impl)
			srv, err := rig.New(t, config)
			if test.want == "" {
				rig.Must(t, err)
				rig.Must(t, srv.Shutdown(t.Context()))
				return
			}
			text := strings.Join(strings.Fields(fmt.Sprint(err)), " ")
			rig.WantText(t, text, test.want)
			if test.not != "" && strings.Contains(text, test.not) {
				t.Errorf("%q in %s", test.not, text)
			}
			if name != "broken" {
				rig.WantText(t, text, "--> generated_test.go:")
			}
		})
	}
}

// lacking is no implementation: it has only one method.
type lacking struct{}

func (lacking) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) { return nil, nil }

// TestOwnServiceIsRegistered registers a service that the server itself answers. One
// diagnostic says so, at the registration.
func TestOwnServiceIsRegistered(t *testing.T) {
	t.Parallel()
	config := dynserver.Config{Handlers: handlers.NewRegistry()}
	healthpb.RegisterHealthServer(config.Handlers, healthpb.UnimplementedHealthServer{})
	config.Handlers.Handle("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", handlers.Unary(
		func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }))
	result, err := dynserver.Check(t.Context(), config)
	rig.Must(t, err)
	if len(result.Diagnostics) != 2 {
		t.Errorf("%d diagnostics: %v", len(result.Diagnostics), result.Diagnostics)
	}
	for i, want := range []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} {
		d := result.Diagnostics[i]
		if d.Severity != diag.Warning || d.Path != "generated_test.go" {
			t.Errorf("%s at %s", d.Severity, d.Position)
		}
		rig.WantText(t, d.Message, "service "+want+" is answered by the server itself: this registration is ignored")
	}
}
