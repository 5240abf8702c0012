package tests

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// labProto is a service to be unkind to.
const labProto = `syntax = "proto3";

package lab;

service Lab {
  rpc Echo(Msg) returns (Msg);
  rpc EchoDynamic(Msg) returns (Msg);
  rpc Up(stream Msg) returns (Msg);
  rpc Down(Msg) returns (stream Msg);
  rpc Chat(stream Msg) returns (stream Msg);
  rpc Fail(Msg) returns (Msg);
  rpc Hold(Msg) returns (stream Msg);
  rpc Raw(Msg) returns (Msg);
  rpc Nobody(Msg) returns (Msg);
}

message Msg {
  string text = 1;
  map<string, string> labels = 2;
  Msg child = 3;
  int32 number = 4;
  bytes data = 5;
}
`

type labMsg struct {
	Text   string
	Labels map[string]string
	Child  *labMsg
	Number int32
	Data   []byte
}

const (
	labEcho        = "/lab.Lab/Echo"
	labEchoDynamic = "/lab.Lab/EchoDynamic"
	labUp          = "/lab.Lab/Up"
	labDown        = "/lab.Lab/Down"
	labChat        = "/lab.Lab/Chat"
	labFail        = "/lab.Lab/Fail"
	labHold        = "/lab.Lab/Hold"
	labRaw         = "/lab.Lab/Raw"
)

// startLab serves labProto, with changes to its configuration.
func startLab(t testing.TB, changes ...func(*dynserver.Config)) *local {
	t.Helper()
	config := protoConfig(t, labProto, registerLab)
	for _, change := range changes {
		change(&config)
	}
	return startLocal(t, config)
}

func registerLab(reg *handlers.Registry) {
	reg.Handle("lab.Lab/Echo", handlers.Unary(labEchoes))
	reg.Handle("lab.Lab/EchoDynamic", handlers.Unary(labEchoesDynamic))
	reg.Handle("lab.Lab/Up", handlers.ClientStream(labCounts))
	reg.Handle("lab.Lab/Down", handlers.ServerStream(labRepeats))
	reg.Handle("lab.Lab/Chat", handlers.Bidi(labChats))
	reg.Handle("lab.Lab/Fail", handlers.Unary(labFails))
	reg.Handle("lab.Lab/Hold", handlers.ServerStream(labHolds))
	reg.Handle("lab.Lab/Raw", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(labRaws), nil
	}))
}

// labEchoes answers with the request, metadata that begins with "echo-" as
// initial and trailing metadata.
func labEchoes(ctx context.Context, in *labMsg) (*labMsg, error) {
	return in, echoMetadata(ctx)
}

func echoMetadata(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	header, trailer := metadata.MD{}, metadata.MD{}
	for key, values := range md {
		if strings.HasPrefix(key, "echo-") {
			header["initial-"+key], trailer["trailing-"+key] = values, values
		}
	}
	return errors.Join(grpc.SetHeader(ctx, header), grpc.SetTrailer(ctx, trailer))
}

func labEchoesDynamic(ctx context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) {
	out := handlers.MethodFrom(ctx).NewReply()
	name := protoreflect.Name("text")
	out.Set(out.Descriptor().Fields().ByName(name), in.Get(in.Descriptor().Fields().ByName(name)))
	return out, nil
}

func labCounts(_ context.Context, in iter.Seq2[*labMsg, error]) (*labMsg, error) {
	var n int32
	for _, err := range in {
		if err != nil {
			return nil, err
		}
		n++
	}
	return &labMsg{Number: n}, nil
}

func labRepeats(_ context.Context, in *labMsg) iter.Seq2[*labMsg, error] {
	return func(yield func(*labMsg, error) bool) {
		for i := range in.Number {
			if !yield(&labMsg{Text: in.Text, Number: i}, nil) {
				return
			}
		}
	}
}

func labChats(_ context.Context, in iter.Seq2[*labMsg, error]) iter.Seq2[*labMsg, error] { return in }

// labHolds sends one message and then waits for the caller to leave, or for the
// deadline.
func labHolds(ctx context.Context, in *labMsg) iter.Seq2[*labMsg, error] {
	return func(yield func(*labMsg, error) bool) {
		if yield(in, nil) {
			<-ctx.Done()
			yield(nil, ctx.Err())
		}
	}
}

// labFails fails in the way that the request names.
func labFails(ctx context.Context, in *labMsg) (*labMsg, error) {
	if err := echoMetadata(ctx); err != nil {
		return nil, err
	}
	switch in.Text {
	case "panic":
		panic("a secret panic")
	case "nil pointer":
		return &labMsg{Text: in.Child.Text}, nil
	case "plain":
		return nil, errors.New("a secret error")
	case "canceled":
		return nil, fmt.Errorf("leaving: %w", context.Canceled)
	case "deadline":
		return nil, context.DeadlineExceeded
	case "status":
		return nil, status.Error(codes.FailedPrecondition, "not yet")
	case "wrapped":
		return nil, fmt.Errorf("around: %w", status.Error(codes.NotFound, "not here"))
	case "details":
		return nil, withDetails()
	case "nothing":
		return nil, nil
	case "invalid text":
		return &labMsg{Text: "\xff"}, nil
	default:
		return nil, status.Errorf(codes.InvalidArgument, "cannot fail as %q", in.Text)
	}
}

func withDetails() error {
	st, err := status.New(codes.InvalidArgument, "two things are wrong").WithDetails(
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "text", Description: "too short"}}},
		&errdetails.RetryInfo{},
	)
	if err != nil {
		return err
	}
	return st.Err()
}

// labRaws misbehaves on the level of messages, as the request says.
func labRaws(ctx context.Context, call handlers.Call) error {
	in, err := call.Recv()
	if err != nil {
		return err
	}
	mode := textOf(in.Materialize(), 1)
	in.Free()
	reply := func() mem.BufferSlice { return mem.BufferSlice{mem.SliceBuffer(text(1, mode))} }
	switch mode {
	case "nothing":
		return nil
	case "two":
		if err := call.Send(reply()); err != nil {
			return err
		}
		return call.Send(reply())
	case "two, errors ignored":
		_, _ = call.Send(reply()), call.Send(reply())
		return nil
	case "reply, then error":
		_ = call.Send(reply())
		return status.Error(codes.Aborted, "changed my mind")
	case "sleep":
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return errors.New("nobody cancelled")
		}
	default:
		return call.Send(reply())
	}
}
