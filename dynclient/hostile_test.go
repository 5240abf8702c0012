package dynclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// TestReflectionOfTooMuch reads descriptors that would take gigabytes.
func TestReflectionOfTooMuch(t *testing.T) {
	nested := func(depth, name int) *descriptorpb.FileDescriptorProto {
		fd := serviceFile(t, "google.protobuf.Timestamp")
		list := &fd.MessageType
		for range depth {
			m := &descriptorpb.DescriptorProto{Name: proto.String(strings.Repeat("m", name))}
			*list = append(*list, m)
			list = &m.NestedType
		}
		return fd
	}
	raw := func(fd *descriptorpb.FileDescriptorProto) []byte {
		b, err := proto.Marshal(fd)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	flat := append(raw(serviceFile(t, "google.protobuf.Timestamp")), bytes.Repeat([]byte{0x22, 0}, 1_000_000)...)
	long := serviceFile(t, "google.protobuf.Timestamp")
	long.Package = proto.String("p." + strings.Repeat("x", 100_000))
	for i := range 200 {
		long.MessageType = append(long.MessageType, &descriptorpb.DescriptorProto{Name: proto.String(fmt.Sprint("m", i))})
	}
	huge := serviceFile(t, "google.protobuf.Timestamp")
	huge.SourceCodeInfo = &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{{LeadingComments: proto.String(strings.Repeat("c", 17<<20))}}}
	for name, content := range map[string][]byte{
		"nesting": raw(nested(100, 10)), "names": raw(long), "messages": flat, "one answer": raw(huge),
	} {
		c := dial(t, (&fakeReflection{raw: [][]byte{content}}).serve(t))
		if _, err := c.Schema().Method(t.Context(), "p.S/M"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestReflectionOfManyWays reads files that import each other publicly, layer
// by layer: each layer doubles the number of import paths from the first to the
// last.
func TestReflectionOfManyWays(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{file(t, `name: "s.proto" package: "p" syntax: "proto3"
		dependency: "l24_0.proto" message_type { name: "R" }
		service { name: "S" method { name: "M" input_type: ".p.R" output_type: ".p.R" } }`)}}
	for layer := range 25 {
		for i := range 4 {
			text := fmt.Sprintf("name: \"l%d_%d.proto\"", layer, i)
			for j := range 4 {
				if layer > 0 {
					text += fmt.Sprintf(" dependency: \"l%d_%d.proto\" public_dependency: %d", layer-1, j, j)
				}
			}
			f.files = append(f.files, file(t, text))
		}
	}
	c := dial(t, f.serve(t))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := c.Schema().Method(ctx, "p.S/M"); err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "too many ways") {
		t.Errorf("error %v", err)
	}
}

// TestAnswerOfManyTypes receives a response that names thousands of types: the
// client must not look up all of them.
func TestAnswerOfManyTypes(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{file(t, `name: "s.proto" package: "p" syntax: "proto3" dependency: "google/protobuf/any.proto"
		message_type { name: "R" field { name: "all" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".google.protobuf.Any" } }
		service { name: "S" method { name: "M" input_type: ".p.R" output_type: ".p.R" } }`)}}
	var answer []byte
	for i := range 2000 {
		a, err := proto.Marshal(&anypb.Any{TypeUrl: fmt.Sprintf("x/a.b.c.T%d", i), Value: []byte("?")})
		if err != nil {
			t.Fatal(err)
		}
		answer = protowire.AppendBytes(append(answer, 0x0a), a)
	}
	long, err := proto.Marshal(&anypb.Any{TypeUrl: "x/" + strings.Repeat("a.", 60) + "a"})
	if err != nil {
		t.Fatal(err)
	}
	answer = protowire.AppendBytes(append(answer, 0x0a), long)
	addr := serveReflection(t, func(s *grpc.Server) {
		refv1.RegisterServerReflectionServer(s, f)
		s.RegisterService(&grpc.ServiceDesc{ServiceName: "p.S", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
			MethodName: "M", Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
				m := new(anypb.Any)
				m.ProtoReflect().SetUnknown(answer)
				return m, nil
			},
		}}}, nil)
	})
	c := dial(t, addr)
	var out json.RawMessage
	if err := c.Invoke(t.Context(), "p.S/M", json.RawMessage(`{}`), &out); err != nil {
		t.Error(err)
	}
	if asked := f.asked.Load(); asked > 300 {
		t.Errorf("the server was asked %d times", asked)
	}
}

// stuck returns a reflection service that answers until hang is set.
func stuck(t *testing.T) (f *fakeReflection, hang *atomic.Bool) {
	hang = new(atomic.Bool)
	f = &fakeReflection{
		files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")},
		before: func(s refv1.ServerReflection_ServerReflectionInfoServer) error {
			if hang.Load() {
				<-s.Context().Done()
			}
			return nil
		},
	}
	return f, hang
}

// TestHangingReflectionDelaysNothingElse checks that cached lookups and calls
// succeed while a reflection request hangs.
func TestHangingReflectionDelaysNothingElse(t *testing.T) {
	f, hang := stuck(t)
	c := dial(t, f.serve(t))
	do, err := dynclient.Unary[time.Time, time.Time](c, "p.S/M")
	if err != nil {
		t.Fatal(err)
	}
	hang.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	hung := make(chan struct{})
	go func() { // ends with ctx
		defer close(hung)
		_, _ = c.Schema().Find(ctx, "no.such")
	}()
	if _, err := c.Schema().Method(t.Context(), "p.S/M"); err != nil {
		t.Error(err)
	}
	if _, err := do(t.Context(), new(time.Time)); status.Code(err) != codes.Unimplemented { // refreshes the schema
		t.Error(err)
	}
	// One of these waits for a lookup that fails, the other continues at once.
	first, second := make(chan error), make(chan error)
	for _, done := range []chan error{first, second} {
		go func() {
			_, err := do(t.Context(), new(time.Time))
			done <- err
		}()
	}
	for _, done := range []chan error{first, second} {
		if err := <-done; status.Code(err) != codes.Unimplemented {
			t.Error(err)
		}
	}
	cancel()
	<-hung
}

func TestTimeoutCoversTheSchema(t *testing.T) {
	f, hang := stuck(t)
	hang.Store(true)
	c := dial(t, f.serve(t), dynclient.WithSchemaTimeout(time.Hour))
	var out json.RawMessage
	err := c.Invoke(t.Context(), "p.S/M", json.RawMessage(`{}`), &out, dynclient.Timeout(50*time.Millisecond))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	if _, err := c.Stream(t.Context(), "p.S/M", dynclient.Timeout(50*time.Millisecond)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	var callError *dynclient.Error
	if err := c.Invoke(canceled, "p.S/M", json.RawMessage(`{}`), &out); status.Code(err) != codes.Canceled || !errors.As(err, &callError) {
		t.Errorf("got %v", err)
	}
}

// TestRefreshIsNotLostToACallThatEnds checks that calls look up the method
// after a refresh even if the first call ends before its lookup.
func TestRefreshIsNotLostToACallThatEnds(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")}}
	c := dial(t, f.serve(t))
	do, err := dynclient.Unary[time.Time, time.Time](c, "p.S/M")
	if err != nil {
		t.Fatal(err)
	}
	c.Schema().Refresh()
	asked := f.asked.Load()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := do(over, new(time.Time)); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
	if _, err := do(t.Context(), new(time.Time)); status.Code(err) != codes.Unimplemented {
		t.Error(err)
	}
	if f.asked.Load() == asked {
		t.Error("no call looked up the method")
	}
}

func TestMetadataReachesCallsAndQuestions(t *testing.T) {
	seen := make(chan metadata.MD, 100)
	note := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md
	}
	f, _ := stuck(t)
	f.before = func(s refv1.ServerReflection_ServerReflectionInfoServer) error { note(s.Context()); return nil }
	addr := f.serve(t)
	c := dial(t, addr, dynclient.WithSchemaMetadata(metadata.Pairs("token", "schema")))
	var out json.RawMessage
	_ = c.Invoke(t.Context(), "p.S/M", json.RawMessage(`{}`), &out, dynclient.Metadata(metadata.Pairs("token", "call", "raw-bin", "\x00\xff")))
	if md := <-seen; strings.Join(md["token"], " ") != "call schema" {
		t.Errorf("reflection got %v", md)
	}

	reg := handlers.NewRegistry()
	reg.Handle("S/Do", handlers.Unary(func(ctx context.Context, in *struct{}) (*struct{}, error) { note(ctx); return in, nil }))
	c = dial(t, serve(t, dynserver.Config{Handlers: reg, Sources: []dynserver.Source{dynserver.FS("s", oneService)}}))
	do, err := dynclient.Unary[struct{}, struct{}](c, "S/Do")
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "token", "context")
	if _, err := do(ctx, &struct{}{}, dynclient.Metadata(metadata.Pairs("token", "option", "raw-bin", "\x00\xff"))); err != nil {
		t.Fatal(err)
	}
	if md := <-seen; strings.Join(md["token"], " ") != "context option" || strings.Join(md["raw-bin"], "") != "\x00\xff" {
		t.Errorf("the call got %v", md)
	}
}

func TestPanicAmongTheRequestsIsTheCallers(t *testing.T) {
	c := dial(t, serveExamples(t))
	chat, err := dynclient.Bidi[note, note](c, "RouteGuide/RouteChat")
	if err != nil {
		t.Fatal(err)
	}
	var requests iter.Seq2[*note, error] = func(func(*note, error) bool) { panic("mine") }
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	for range chat(t.Context(), requests) {
		t.Error("got a response or an error")
	}
	t.Error("it did not panic")
}

func TestClosedClient(t *testing.T) {
	c := dial(t, serveExamples(t))
	say, err := dynclient.Unary[helloRequest, helloReply](c, "Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := say(t.Context(), &helloRequest{}); status.Code(err) != codes.Canceled {
		t.Errorf("a call: %v", err)
	}
	if _, err := dynclient.Unary[helloRequest, helloReply](c, "Greeter/SayHello"); status.Code(err) != codes.Canceled {
		t.Errorf("a stub: %v", err)
	}
}
