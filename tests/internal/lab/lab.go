// Package lab holds services that tests treat badly: lab.Lab with a method of
// each shape and handlers that fail in each way, and messages that break parsers.
package lab

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
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// Proto declares the service lab.Lab. Nothing answers its method Nobody.
const Proto = `syntax = "proto3";

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

// Msg is the message lab.Msg.
type Msg struct {
	Text   string
	Labels map[string]string
	Child  *Msg
	Number int32
	Data   []byte
}

// The paths of the methods.
const (
	Echo        = "/lab.Lab/Echo"
	EchoDynamic = "/lab.Lab/EchoDynamic"
	Up          = "/lab.Lab/Up"
	Down        = "/lab.Lab/Down"
	Chat        = "/lab.Lab/Chat"
	Fail        = "/lab.Lab/Fail"
	Hold        = "/lab.Lab/Hold"
	Raw         = "/lab.Lab/Raw"
)

// Start serves Proto, with changes to its configuration.
func Start(t testing.TB, changes ...func(*dynserver.Config)) *rig.Server {
	t.Helper()
	config := rig.Config(t, Proto, Register)
	for _, change := range changes {
		change(&config)
	}
	return rig.Local(t, config)
}

// Register registers the handlers of lab.Lab.
func Register(reg *handlers.Registry) {
	reg.Handle("lab.Lab/Echo", handlers.Unary(HandleEcho))
	reg.Handle("lab.Lab/EchoDynamic", handlers.Unary(handleEchoDynamic))
	reg.Handle("lab.Lab/Up", handlers.ClientStream(handleUp))
	reg.Handle("lab.Lab/Down", handlers.ServerStream(HandleDown))
	reg.Handle("lab.Lab/Chat", handlers.Bidi(handleChat))
	reg.Handle("lab.Lab/Fail", handlers.Unary(handleFail))
	reg.Handle("lab.Lab/Hold", handlers.ServerStream(handleHold))
	reg.Handle("lab.Lab/Raw", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(handleRaw), nil
	}))
}

// HandleEcho answers with the request. It returns metadata whose key begins with
// "echo-" as initial and as trailing metadata.
func HandleEcho(ctx context.Context, in *Msg) (*Msg, error) {
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

// Alive fails the test unless the server answers a call of Echo.
func Alive(t testing.TB, s *rig.Server) {
	t.Helper()
	out, err := rig.Invoke(rig.Context(t), s.Conn, Echo, rig.Text(1, "still there?"))
	if err != nil || rig.TextOf(out, 1) != "still there?" {
		t.Errorf("the server does not answer any more: %q, %v", out, err)
	}
}

func handleEchoDynamic(ctx context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) {
	out := handlers.MethodFrom(ctx).NewReply()
	name := protoreflect.Name("text")
	out.Set(out.Descriptor().Fields().ByName(name), in.Get(in.Descriptor().Fields().ByName(name)))
	return out, nil
}

func handleUp(_ context.Context, in iter.Seq2[*Msg, error]) (*Msg, error) {
	var n int32
	for _, err := range in {
		if err != nil {
			return nil, err
		}
		n++
	}
	return &Msg{Number: n}, nil
}

// HandleDown answers with the text of the request, number times.
func HandleDown(_ context.Context, in *Msg) iter.Seq2[*Msg, error] {
	return func(yield func(*Msg, error) bool) {
		for i := range in.Number {
			if !yield(&Msg{Text: in.Text, Number: i}, nil) {
				return
			}
		}
	}
}

func handleChat(_ context.Context, in iter.Seq2[*Msg, error]) iter.Seq2[*Msg, error] { return in }

// handleHold sends one message and then waits until its context ends.
func handleHold(ctx context.Context, in *Msg) iter.Seq2[*Msg, error] {
	return func(yield func(*Msg, error) bool) {
		if yield(in, nil) {
			<-ctx.Done()
			yield(nil, ctx.Err())
		}
	}
}

// handleFail fails in the way that the request names.
func handleFail(ctx context.Context, in *Msg) (*Msg, error) {
	if err := echoMetadata(ctx); err != nil {
		return nil, err
	}
	switch in.Text {
	case "panic":
		panic("a secret panic")
	case "nil pointer":
		return &Msg{Text: in.Child.Text}, nil
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
		return &Msg{Text: "\xff"}, nil
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

// handleRaw breaks the rules for messages in the way that the request names.
func handleRaw(ctx context.Context, call handlers.Call) error {
	in, err := call.Recv()
	if err != nil {
		return err
	}
	mode := rig.TextOf(in.Materialize(), 1)
	in.Free()
	reply := func() mem.BufferSlice { return mem.BufferSlice{mem.SliceBuffer(rig.Text(1, mode))} }
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
		timer := time.NewTimer(rig.Patience)
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
