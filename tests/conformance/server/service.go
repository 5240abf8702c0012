package main

import (
	"context"
	"iter"
	"time"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/handlers"
)

func register(reg *handlers.Registry) {
	const service = "connectrpc.conformance.v1.ConformanceService/"
	reg.Handle(service+"Unary", handlers.Unary(unary))
	reg.Handle(service+"IdempotentUnary", handlers.Unary(unary))
	reg.Handle(service+"ClientStream", handlers.ClientStream(clientStream))
	reg.Handle(service+"ServerStream", handlers.ServerStream(serverStream))
	reg.Handle(service+"BidiStream", handlers.Bidi(bidiStream))
}

func unary(ctx context.Context, in *unaryRequest) (*response, error) {
	return answer(ctx, in.ResponseDefinition)
}

func clientStream(ctx context.Context, in iter.Seq2[*unaryRequest, error]) (*response, error) {
	var first *unaryAnswer
	n := 0
	for req, err := range in {
		if err != nil {
			return nil, err
		}
		if n++; n == 1 {
			first = req.ResponseDefinition
		}
	}
	return answer(ctx, first)
}

// answer makes the only response of a call.
func answer(ctx context.Context, want *unaryAnswer) (*response, error) {
	info := infoOf(ctx)
	if want == nil {
		return &response{&payload{RequestInfo: info}}, nil
	}
	if err := grpc.SetHeader(ctx, metadataOf(want.ResponseHeaders)); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, metadataOf(want.ResponseTrailers)); err != nil {
		return nil, err
	}
	sleep(want.ResponseDelayMs)
	if want.Error != nil {
		return nil, want.Error.status(ctx, info)
	}
	out := &payload{RequestInfo: info}
	if want.ResponseData != nil {
		out.Data = *want.ResponseData
	}
	return &response{out}, nil
}

func serverStream(ctx context.Context, in *streamRequest) iter.Seq2[*response, error] {
	return func(yield func(*response, error) bool) {
		a := &answers{ctx: ctx, want: in.ResponseDefinition, yield: yield}
		if err := a.begin(); err != nil {
			yield(nil, err)
			return
		}
		a.rest()
	}
}

func bidiStream(ctx context.Context, in iter.Seq2[*bidiRequest, error]) iter.Seq2[*response, error] {
	return func(yield func(*response, error) bool) {
		a := &answers{ctx: ctx, yield: yield}
		duplex, first := false, true
		for req, err := range in {
			if first && err == nil {
				first, duplex, a.want = false, req.FullDuplex, req.ResponseDefinition
				err = a.begin()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !duplex {
				continue
			}
			if !a.left() {
				break
			}
			if !a.next(true) {
				return
			}
		}
		a.rest()
	}
}

// answers makes the responses of a stream.
type answers struct {
	ctx   context.Context //nolint:containedctx // of the call
	want  *streamAnswer
	yield func(*response, error) bool
	sent  int
}

// begin sends the header.
func (a *answers) begin() error {
	if a.want == nil {
		return nil
	}
	if err := grpc.SetTrailer(a.ctx, metadataOf(a.want.ResponseTrailers)); err != nil {
		return err
	}
	return grpc.SendHeader(a.ctx, metadataOf(a.want.ResponseHeaders))
}

// left reports whether there are more responses.
func (a *answers) left() bool { return a.want != nil && a.sent < len(a.want.ResponseData) }

// next sends one response. After the first one, requests says whether it lists the
// requests since the last one. It reports whether the call goes on.
func (a *answers) next(requests bool) bool {
	out := &payload{Data: a.want.ResponseData[a.sent]}
	if a.sent == 0 {
		out.RequestInfo = infoOf(a.ctx)
	} else if requests {
		out.RequestInfo = &requestInfo{Requests: received(a.ctx)}
	}
	sleep(a.want.ResponseDelayMs)
	a.sent++
	return a.yield(&response{out}, nil)
}

// rest sends the remaining responses and the error.
func (a *answers) rest() {
	for a.left() {
		if !a.next(false) {
			return
		}
	}
	if a.want == nil || a.want.Error == nil {
		return
	}
	var info *requestInfo
	if a.sent == 0 {
		info = infoOf(a.ctx)
	}
	a.yield(nil, a.want.Error.status(a.ctx, info))
}

// sleep does not end with the call: the suite's client takes it as a mistake if it has
// a part of the answer when its deadline passes.
func sleep(milliseconds uint32) { time.Sleep(time.Duration(milliseconds) * time.Millisecond) }

func metadataOf(list []header) metadata.MD {
	md := metadata.MD{}
	for _, h := range list {
		md.Append(h.Name, h.Value...)
	}
	return md
}

// infoOf describes the requests of a call.
func infoOf(ctx context.Context) *requestInfo {
	info := &requestInfo{Requests: received(ctx)}
	md, _ := metadata.FromIncomingContext(ctx)
	for name, values := range md {
		info.RequestHeaders = append(info.RequestHeaders, header{name, values})
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := max(0, time.Until(deadline).Milliseconds())
		info.TimeoutMs = &left
	}
	return info
}

// status returns the error as a status, with the info as a detail.
func (e *rpcError) status(ctx context.Context, info *requestInfo) error {
	st := &status.Status{Code: e.Code, Message: e.Message, Details: e.Details}
	if info != nil {
		detail, err := info.pack(ctx)
		if err != nil {
			return err
		}
		st.Details = append(st.Details, detail)
	}
	return grpcstatus.ErrorProto(st)
}

// pack returns the info as a message of the schema.
func (i *requestInfo) pack(ctx context.Context) (*anypb.Any, error) {
	m, err := handlers.MethodFrom(ctx).NewMessage("connectrpc.conformance.v1.ConformancePayload.RequestInfo")
	if err != nil {
		return nil, err
	}
	fields := m.Descriptor().Fields()
	headers := m.Mutable(fields.ByName("request_headers")).List()
	for _, h := range i.RequestHeaders {
		entry := headers.NewElement().Message()
		names := entry.Descriptor().Fields()
		entry.Set(names.ByName("name"), protoreflect.ValueOfString(h.Name))
		values := entry.Mutable(names.ByName("value")).List()
		for _, v := range h.Value {
			values.Append(protoreflect.ValueOfString(v))
		}
		headers.Append(protoreflect.ValueOfMessage(entry))
	}
	if i.TimeoutMs != nil {
		m.Set(fields.ByName("timeout_ms"), protoreflect.ValueOfInt64(*i.TimeoutMs))
	}
	requests := m.Mutable(fields.ByName("requests")).List()
	for _, request := range i.Requests {
		entry := requests.NewElement()
		packed, err := proto.Marshal(request)
		if err != nil {
			return nil, err
		}
		if err := proto.Unmarshal(packed, entry.Message().Interface()); err != nil {
			return nil, err
		}
		requests.Append(entry)
	}
	return anypb.New(m.Interface())
}
