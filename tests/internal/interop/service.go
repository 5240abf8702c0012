// Package interop answers grpc.testing.TestService, which the interoperability
// tests of the gRPC project call, with dyngate's typed adapters.
package interop

import (
	"context"
	"embed"
	"fmt"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// Protos is an import root that holds grpc/testing.
//
//go:embed protos
var Protos embed.FS

// The messages of grpc/testing/messages.proto, as far as the tests need them.
type (
	payload    struct{ Body []byte }
	echoStatus struct {
		Code    int32
		Message string
	}
	simpleRequest struct {
		ResponseSize   int32
		ResponseStatus *echoStatus
		FillServerID   bool
	}
	simpleResponse struct {
		Payload  *payload
		ServerID string
	}
	inputRequest  struct{ Payload payload }
	inputResponse struct{ AggregatedPayloadSize int32 }
	parameters    struct{ Size, IntervalUs int32 }
	outputRequest struct {
		ResponseParameters []parameters
		ResponseStatus     *echoStatus
	}
	outputResponse struct{ Payload *payload }
)

// Register registers every method that servers must answer: all but
// UnimplementedCall.
func Register(reg *handlers.Registry) {
	reg.Handle("grpc.testing.TestService/EmptyCall", handlers.Unary(emptyCall))
	reg.Handle("grpc.testing.TestService/UnaryCall", handlers.Unary(unaryCall))
	reg.Handle("grpc.testing.TestService/CacheableUnaryCall", handlers.Unary(cacheableUnaryCall))
	reg.Handle("grpc.testing.TestService/StreamingOutputCall", handlers.ServerStream(streamingOutputCall))
	reg.Handle("grpc.testing.TestService/StreamingInputCall", handlers.ClientStream(streamingInputCall))
	reg.Handle("grpc.testing.TestService/FullDuplexCall", handlers.Bidi(fullDuplexCall))
	reg.Handle("grpc.testing.TestService/HalfDuplexCall", handlers.Bidi(halfDuplexCall))
}

func emptyCall(context.Context, *struct{}) (*struct{}, error) { return &struct{}{}, nil }

func unaryCall(ctx context.Context, in *simpleRequest) (*simpleResponse, error) {
	if err := echoMetadata(ctx); err != nil {
		return nil, err
	}
	if err := in.ResponseStatus.err(); err != nil {
		return nil, err
	}
	p, err := newPayload(in.ResponseSize)
	if err != nil {
		return nil, err
	}
	out := &simpleResponse{Payload: p}
	if in.FillServerID {
		out.ServerID = "dyngate"
	}
	return out, nil
}

// cacheableUnaryCall has generated messages, unlike the others.
func cacheableUnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	p, err := newPayload(in.GetResponseSize())
	if err != nil {
		return nil, err
	}
	return &testpb.SimpleResponse{Payload: &testpb.Payload{Body: p.Body}}, nil
}

func streamingOutputCall(ctx context.Context, in *outputRequest) iter.Seq2[*outputResponse, error] {
	return in.responses(ctx)
}

func streamingInputCall(_ context.Context, in iter.Seq2[*inputRequest, error]) (*inputResponse, error) {
	sum := 0
	for request, err := range in {
		if err != nil {
			return nil, err
		}
		sum += len(request.Payload.Body)
	}
	return &inputResponse{AggregatedPayloadSize: int32(sum)}, nil
}

func fullDuplexCall(ctx context.Context, in iter.Seq2[*outputRequest, error]) iter.Seq2[*outputResponse, error] {
	return func(yield func(*outputResponse, error) bool) {
		if err := echoMetadata(ctx); err != nil {
			yield(nil, err)
			return
		}
		for request, err := range in {
			if err == nil {
				err = request.ResponseStatus.err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for out, err := range request.responses(ctx) {
				if !yield(out, err) {
					return
				}
			}
		}
	}
}

// halfDuplexCall reads to the end before it answers.
func halfDuplexCall(ctx context.Context, in iter.Seq2[*outputRequest, error]) iter.Seq2[*outputResponse, error] {
	return func(yield func(*outputResponse, error) bool) {
		var requests []*outputRequest
		for request, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
			requests = append(requests, request)
		}
		for _, request := range requests {
			for out, err := range request.responses(ctx) {
				if !yield(out, err) {
					return
				}
			}
		}
	}
}

// responses are what a request asks for, at its pace.
func (r *outputRequest) responses(ctx context.Context) iter.Seq2[*outputResponse, error] {
	return func(yield func(*outputResponse, error) bool) {
		for _, p := range r.ResponseParameters {
			if err := pause(ctx, time.Duration(p.IntervalUs)*time.Microsecond); err != nil {
				yield(nil, err)
				return
			}
			body, err := newPayload(p.Size)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&outputResponse{Payload: body}, nil) {
				return
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newPayload(size int32) (*payload, error) {
	if size < 0 {
		return nil, status.Errorf(codes.InvalidArgument, "a response cannot have %d bytes", size)
	}
	return &payload{Body: make([]byte, size)}, nil
}

func (s *echoStatus) err() error {
	if s == nil {
		return nil
	}
	return status.Error(codes.Code(s.Code), s.Message)
}

func echoMetadata(ctx context.Context) error {
	const initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
	if values := metadata.ValueFromIncomingContext(ctx, initial); len(values) > 0 {
		if err := grpc.SendHeader(ctx, metadata.Pairs(initial, values[0])); err != nil {
			return fmt.Errorf("sending headers: %w", err)
		}
	}
	if values := metadata.ValueFromIncomingContext(ctx, trailing); len(values) > 0 {
		return grpc.SetTrailer(ctx, metadata.Pairs(trailing, values[0]))
	}
	return nil
}
