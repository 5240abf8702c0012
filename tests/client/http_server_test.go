package client

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop/grpc_testing"
	grpcreflection "google.golang.org/grpc/reflection"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
)

const testService = "/grpc.testing.TestService/"

// connectGo answers grpc's TestService, and reflection, by connect-go with generated
// messages, below /prefix.
func connectGo() http.Handler {
	mux := http.NewServeMux()
	const info = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	mux.Handle(info, connect.NewBidiStreamHandler(info, reflectServices))
	mux.Handle(testService+"UnaryCall", connect.NewUnaryHandler(testService+"UnaryCall", unaryCall))
	mux.Handle(testService+"StreamingOutputCall", connect.NewServerStreamHandler(testService+"StreamingOutputCall", outputCall))
	mux.Handle(testService+"StreamingInputCall", connect.NewClientStreamHandler(testService+"StreamingInputCall", inputCall))
	mux.Handle(testService+"FullDuplexCall", connect.NewBidiStreamHandler(testService+"FullDuplexCall", duplexCall))
	return http.StripPrefix("/prefix", mux)
}

// reflectionStream is a stream of connect-go with the methods that grpc-go's
// reflection needs.
type reflectionStream struct {
	grpc.ServerStream
	ctx context.Context
	*connect.BidiStream[refv1.ServerReflectionRequest, refv1.ServerReflectionResponse]
}

func (s reflectionStream) Context() context.Context { return s.ctx }

func (s reflectionStream) Recv() (*refv1.ServerReflectionRequest, error) {
	r, err := s.Receive()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	return r, err
}

func reflectServices(ctx context.Context, s *connect.BidiStream[refv1.ServerReflectionRequest, refv1.ServerReflectionResponse]) error {
	return grpcreflection.NewServerV1(grpcreflection.ServerOptions{Services: services{}}).
		ServerReflectionInfo(reflectionStream{ctx: ctx, BidiStream: s})
}

// services are the names that reflection lists.
type services struct{}

// GetServiceInfo implements reflection's ServiceInfoProvider.
func (services) GetServiceInfo() map[string]grpc.ServiceInfo {
	return map[string]grpc.ServiceInfo{"grpc.testing.TestService": {}}
}

// The metadata that the server returns: these, and what it received under their
// names.
var echoed = map[string]string{"X-Text": "X-Text-Trailer", "X-Raw-Bin": "X-Raw-Trailer-Bin"}

func echoMetadata(request, header, trailer http.Header) {
	for name, after := range echoed {
		for _, value := range request.Values(name) {
			header.Add(name, value)
			trailer.Add(after, value)
		}
	}
	header.Set("X-Agent", request.Get("User-Agent"))
}

// failure returns the error that a request asks for, with the request as a detail.
func failure(want *grpc_testing.EchoStatus) *connect.Error {
	if want.GetCode() == 0 {
		return nil
	}
	err := connect.NewError(connect.Code(want.GetCode()), errors.New(want.GetMessage()))
	if detail, derr := connect.NewErrorDetail(want); derr == nil {
		err.AddDetail(detail)
	}
	return err
}

func unaryCall(ctx context.Context, r *connect.Request[grpc_testing.SimpleRequest]) (*connect.Response[grpc_testing.SimpleResponse], error) {
	if r.Msg.GetFillUsername() { // waits for the end of the call
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := failure(r.Msg.GetResponseStatus()); err != nil {
		echoMetadata(r.Header(), err.Meta(), err.Meta())
		return nil, err
	}
	res := connect.NewResponse(&grpc_testing.SimpleResponse{Payload: r.Msg.GetPayload()})
	if _, ok := ctx.Deadline(); ok {
		res.Msg.Username = "deadline"
	}
	if size := r.Msg.GetResponseSize(); size > 0 {
		res.Msg.Payload = &grpc_testing.Payload{Body: make([]byte, size)}
	}
	echoMetadata(r.Header(), res.Header(), res.Trailer())
	return res, nil
}

func outputCall(ctx context.Context, r *connect.Request[grpc_testing.StreamingOutputCallRequest], s *connect.ServerStream[grpc_testing.StreamingOutputCallResponse]) error {
	echoMetadata(r.Header(), s.ResponseHeader(), s.ResponseTrailer())
	return answer(ctx, r.Msg, s.Send)
}

// answer sends the answers that a request asks for. A negative size waits for the
// end of the call.
func answer(ctx context.Context, r *grpc_testing.StreamingOutputCallRequest, send func(*grpc_testing.StreamingOutputCallResponse) error) error {
	for _, p := range r.GetResponseParameters() {
		if p.GetSize() < 0 {
			<-ctx.Done()
			return ctx.Err()
		}
		if err := send(&grpc_testing.StreamingOutputCallResponse{Payload: &grpc_testing.Payload{Body: make([]byte, p.GetSize())}}); err != nil {
			return err
		}
	}
	if err := failure(r.GetResponseStatus()); err != nil {
		return err
	}
	return nil
}

func inputCall(_ context.Context, s *connect.ClientStream[grpc_testing.StreamingInputCallRequest]) (*connect.Response[grpc_testing.StreamingInputCallResponse], error) {
	var sum int32
	for s.Receive() {
		if string(s.Msg().GetPayload().GetBody()) == "fail" {
			return nil, failure(&grpc_testing.EchoStatus{Code: 9, Message: "enough"})
		}
		sum += int32(len(s.Msg().GetPayload().GetBody()))
	}
	if s.Err() != nil {
		return nil, s.Err()
	}
	res := connect.NewResponse(&grpc_testing.StreamingInputCallResponse{AggregatedPayloadSize: sum})
	echoMetadata(s.RequestHeader(), res.Header(), res.Trailer())
	return res, nil
}

func duplexCall(ctx context.Context, s *connect.BidiStream[grpc_testing.StreamingOutputCallRequest, grpc_testing.StreamingOutputCallResponse]) error {
	echoMetadata(s.RequestHeader(), s.ResponseHeader(), s.ResponseTrailer())
	for {
		r, err := s.Receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := answer(ctx, r, s.Send); err != nil {
			return err
		}
	}
}

// way is a way to reach a server.
type way struct {
	name   string
	secure bool
	http2  bool // the server speaks it
	http1  bool
}

var ways = []way{
	{name: "http", http1: true, http2: true},
	{name: "http, HTTP/1.1 only", http1: true},
	{name: "https", secure: true, http1: true, http2: true},
	{name: "https, HTTP/1.1 only", secure: true, http1: true},
	{name: "https, HTTP/2 only", secure: true, http2: true},
}

// start starts a server until the test ends.
func (w way) start(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(w.http1)
	srv.Config.Protocols.SetHTTP2(w.http2 && w.secure)
	srv.Config.Protocols.SetUnencryptedHTTP2(w.http2 && !w.secure)
	if w.secure {
		srv.EnableHTTP2 = w.http2
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv
}

func wantCode(t testing.TB, err error, want codes.Code) *status.Status {
	t.Helper()
	st, ok := status.FromError(err)
	if !ok || st.Code() != want {
		t.Fatalf("%v, want code %s", err, want)
	}
	return st
}
