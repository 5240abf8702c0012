package handlers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type msg struct{ Name string }

// fakeCall is a Call of prepared requests.
type fakeCall struct {
	Call   // for what the tests do not use
	method *Method
	in     [][]byte
	out    []string
}

func (c *fakeCall) Method() *Method { return c.method }

func (c *fakeCall) Peer() Peer { return Peer{Addr: &net.UnixAddr{Name: "somewhere"}} }

func (c *fakeCall) Recv() (mem.BufferSlice, error) {
	if len(c.in) == 0 {
		return nil, io.EOF
	}
	b := c.in[0]
	c.in = c.in[1:]
	// In two buffers, one of them pooled, as the transport may deliver it.
	half := len(b) / 2
	return mem.BufferSlice{mem.SliceBuffer(b[:half]), mem.Copy(b[half:], mem.DefaultBufferPool())}, nil
}

func (c *fakeCall) Send(data mem.BufferSlice) error {
	defer data.Free()
	b := data.Materialize()
	if len(b) == 0 {
		c.out = append(c.out, "")
		return nil
	}
	text, n := protowire.ConsumeString(b[1:])
	c.out = append(c.out, text)
	return protowire.ParseError(n)
}

func named(names ...string) (in [][]byte) {
	for _, n := range names {
		in = append(in, protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), n))
	}
	return in
}

func unaryMsg(_ context.Context, in *msg) (*msg, error) { return &msg{"hello " + in.Name}, nil }

func serverMsg(_ context.Context, in *msg) iter.Seq2[*msg, error] {
	return func(yield func(*msg, error) bool) {
		_ = yield(&msg{in.Name + " 1"}, nil) && yield(&msg{in.Name + " 2"}, nil)
	}
}

func clientMsg(_ context.Context, in iter.Seq2[*msg, error]) (*msg, error) {
	var names []string
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		names = append(names, m.Name)
	}
	return &msg{strings.Join(names, "+")}, nil
}

// bidiMsg sends before it receives and after the last request.
func bidiMsg(_ context.Context, in iter.Seq2[*msg, error]) iter.Seq2[*msg, error] {
	return func(yield func(*msg, error) bool) {
		if !yield(&msg{"first"}, nil) {
			return
		}
		for m, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&msg{"got " + m.Name}, nil) {
				return
			}
		}
		yield(&msg{"last"}, nil)
	}
}

func dynamicMsg(ctx context.Context, in *Dynamic) (*Dynamic, error) {
	name := in.Descriptor().Fields().ByName("name")
	out := MethodFrom(ctx).NewReply()
	out.Set(out.Descriptor().Fields().ByName("name"), in.Get(name))
	return out, nil
}

func TestAdaptersServeTheirShape(t *testing.T) {
	for _, tt := range []struct {
		name           string
		impl           Implementation
		client, server bool
		in, want       []string
	}{
		{"Unary", Unary(unaryMsg), false, false, []string{"you"}, []string{"hello you"}},
		{"Unary aliasing", Unary(unaryMsg, AliasInput()), false, false, []string{"you"}, []string{"hello you"}},
		{"Unary dynamic", Unary(dynamicMsg), false, false, []string{"you"}, []string{"you"}},
		{"ServerStream", ServerStream(serverMsg), false, true, []string{"you"}, []string{"you 1", "you 2"}},
		{"ClientStream", ClientStream(clientMsg), true, false, []string{"a", "b"}, []string{"a+b"}},
		{"ClientStream of none", ClientStream(clientMsg), true, false, nil, []string{""}},
		{"Bidi", Bidi(bidiMsg), true, true, []string{"a", "b"}, []string{"first", "got a", "got b", "last"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := testMethod("pkg.Service/Method", tt.client, tt.server)
			h, err := tt.impl.Bind(m)
			if err != nil {
				t.Fatal(err)
			}
			call := &fakeCall{method: m, in: named(tt.in...)}
			if err := h.ServeRPC(NewContext(t.Context(), call), call); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(call.out, tt.want) {
				t.Errorf("sent %q, want %q", call.out, tt.want)
			}
		})
	}
}

func TestBindRefusesWhatDoesNotFit(t *testing.T) {
	type other struct {
		Nam  string
		Name int
	}
	otherMsg := func(context.Context, *other) (*other, error) { return nil, nil }
	for _, tt := range []struct {
		impl   Implementation
		server bool
		want   []string
	}{
		{Bidi(bidiMsg), false, []string{"the method is unary, but its handler is bidirectional-streaming: use handlers.Unary"}},
		{Unary(otherMsg), true, []string{"the method is server-streaming, but its handler is unary: use handlers.ServerStream"}},
		{Unary(otherMsg), false, []string{
			"other.Nam matches no field of pkg.Msg (did you mean \"name\"?): rename it, or tag it `proto:\"-\"`",
			"other.Name (int) cannot hold pkg.Msg.name (string): make it string, *string or []byte",
		}},
		{Unary(func(context.Context, *wrapperspb.StringValue) (*emptypb.Empty, error) { return nil, nil }), false, []string{
			"*wrapperspb.StringValue is the generated code of google.protobuf.StringValue: use that of pkg.Msg",
			"*emptypb.Empty is the generated code of google.protobuf.Empty: use that of pkg.Msg",
		}},
	} {
		_, err := tt.impl.Bind(testMethod("pkg.Service/Method", false, tt.server))
		if want := strings.Join(tt.want, "\n"); err == nil || err.Error() != want {
			t.Errorf("Bind: %v\nwant %s", err, want)
		}
	}
}

func TestMistakesBecomeErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		impl Implementation
		in   []byte
		code codes.Code
	}{
		"no response":      {Unary(func(context.Context, *msg) (*msg, error) { return nil, nil }), nil, codes.Unknown},
		"no dynamic":       {Unary(func(context.Context, *msg) (*Dynamic, error) { return &Dynamic{}, nil }), nil, codes.Unknown},
		"truncated":        {Unary(unaryMsg), []byte{0x0a, 0x05, 'x'}, codes.Internal},
		"truncated, alias": {Unary(unaryMsg, AliasInput()), []byte{0x0a, 0x05, 'x'}, codes.Internal},
		"truncated, dyn":   {Unary(dynamicMsg), []byte{0x0a, 0x05, 'x'}, codes.Internal},
		"bad UTF-8":        {Unary(unaryMsg), []byte{0x0a, 0x01, 0xff}, codes.Internal},
		"bad UTF-8, dyn":   {Unary(dynamicMsg), []byte{0x0a, 0x01, 0xff}, codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			m := testMethod("pkg.Service/Method", false, false)
			h, err := tt.impl.Bind(m)
			if err != nil {
				t.Fatal(err)
			}
			err = h.ServeRPC(t.Context(), &fakeCall{method: m, in: [][]byte{tt.in}})
			if err == nil || status.Code(err) != tt.code {
				t.Errorf("error %v, want code %s", err, tt.code)
			}
		})
	}
}

func TestDynamicReplyOfAnotherTypeIsRefused(t *testing.T) {
	m := testMethod("pkg.Service/Method", false, false)
	h, err := Unary(func(context.Context, *msg) (*Dynamic, error) {
		return &Dynamic{Message: (&emptypb.Empty{}).ProtoReflect()}, nil
	}).Bind(m)
	if err != nil {
		t.Fatal(err)
	}
	err = h.ServeRPC(t.Context(), &fakeCall{method: m, in: named("x")})
	if want := "a google.protobuf.Empty, not a pkg.Msg"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func ExampleUnary() {
	type HelloRequest struct{ Name string }
	type HelloReply struct{ Message string }
	reg := NewRegistry()
	reg.Handle("tutorial.Greeter/SayHello", Unary(func(_ context.Context, in *HelloRequest) (*HelloReply, error) {
		return &HelloReply{Message: "Hello, " + in.Name + "!"}, nil
	}))
	fmt.Println(reg.All()[0].Pattern, reg.Err())
	// Output: tutorial.Greeter/SayHello <nil>
}
