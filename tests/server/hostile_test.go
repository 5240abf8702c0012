package server

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestHostileMessages sends lab.Hostile to a handler with plain structs and to one
// with dynamic messages, in unary calls and in streams.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for _, path := range []string{lab.Echo, lab.EchoDynamic} {
		for _, test := range lab.Hostile {
			t.Run(path+" "+test.Name, func(t *testing.T) {
				t.Parallel()
				_, err := rig.Invoke(rig.Context(t), s.Conn, path, test.Body)
				rig.WantCode(t, err, test.Want)
				lab.Alive(t, s)
			})
		}
	}
	for _, path := range []string{lab.Up, lab.Down, lab.Chat} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, test := range lab.Hostile {
				_, err := rig.Open(rig.Context(t), t, s.Conn, path).Send(test.Body).Done().All()
				if rig.WantCode(t, err, test.Want); t.Failed() {
					t.Fatal(test.Name)
				}
			}
			lab.Alive(t, s)
		})
	}
}

// TestHostileToBuiltins sends lab.Hostile to the server's own services. They may
// answer anything, but the server must survive.
func TestHostileToBuiltins(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--channelz")
	conn := rig.Dial(t, p.Addr())
	for _, path := range []string{
		"/grpc.health.v1.Health/Check",
		"/grpc.health.v1.Health/List",
		"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
		"/grpc.channelz.v1.Channelz/GetTopChannels",
		"/grpc.channelz.v1.Channelz/GetServer",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, test := range lab.Hostile {
				_, _ = rig.Open(rig.Context(t), t, conn, path).Send(test.Body).Done().All()
			}
			out, err := rig.Invoke(rig.Context(t), conn, "/Greeter/SayHello", rig.Text(1, "you"))
			if err != nil || rig.TextOf(out, 1) != "hello you" {
				t.Errorf("the server does not answer any more: %q, %v", out, err)
			}
		})
	}
}

// TestHostileToExamples sends lab.Hostile to the methods of the example services, except
// for Contact/getTask, whose answers end with the deadline only.
func TestHostileToExamples(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--default-deadline", "1s")
	conn := rig.Dial(t, p.Addr())
	for _, method := range []string{
		"example.FormatData/DoFormat", "GrpcService/hello", "tutorial.Greeter/SayHello", "Greeter/SayHello", "Greeter/SayHelloAgain",
		"compute.Compute/SayHello", "Cal/Add", "Cal/Multiply", "firstmsg.FirstMsg/firstMsg", "RouteGuide/GetFeature",
		"RouteGuide/ListFeature", "RouteGuide/RecordRoute", "RouteGuide/RouteChat", "Contact/sendStatus", "Contact/tellResult",
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			for _, test := range lab.Hostile {
				_, _ = rig.Open(rig.Context(t), t, conn, "/"+method).Send(test.Body).Done().All()
			}
		})
	}
}

// TestHostileNames asks reflection for invalid names.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t)
	conn := rig.Dial(t, p.Addr())
	names := []string{
		"", ".", "..", "/", "a..b", ".Greeter", "Greeter.", "Greeter/SayHello", "\x00", "☺", "Greeter.SayHello.x",
		strings.Repeat("a.", 1<<19) + "a", strings.Repeat(".", 1<<20), strings.Repeat("a", 1<<20),
		"../../../etc/passwd", "/etc/passwd", "hello/../hello/hello.proto",
	}
	stream := rig.Open(rig.Context(t), t, conn, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
	for _, name := range names {
		for _, field := range []protowire.Number{3, 4, 6} { // file, symbol, all extensions of
			stream.Send(rig.Text(field, name))
			if out := stream.MustRecv(); rig.TextOf(out, 4) != "" {
				t.Errorf("field %d, %.20q: found", field, name)
			}
		}
	}
	if _, err := stream.Done().All(); err != nil {
		t.Error(err)
	}
	_, err := rig.Invoke(rig.Context(t), conn, "/grpc.health.v1.Health/Check", rig.Text(1, strings.Repeat("x", 1<<20)))
	rig.WantCode(t, err, codes.NotFound)
	if len(err.Error()) > 1000 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

// TestHostileCalls breaks the rules of gRPC above HTTP/2.
func TestHostileCalls(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	conn := rig.Dial(t, s.Addr, grpc.WithMaxHeaderListSize(1<<20))
	long := strings.Repeat("x", 10_000)
	for name, test := range map[string]struct {
		path string
		opts []grpc.CallOption
		md   []string
		want codes.Code
	}{
		"no method":          {"/lab.Lab/", nil, nil, codes.Unimplemented},
		"no service":         {"//Echo", nil, nil, codes.Unimplemented},
		"only slashes":       {"///", nil, nil, codes.Unimplemented},
		"more slashes":       {"/lab.Lab/Echo/", nil, nil, codes.Unimplemented},
		"prefix":             {"/x/lab.Lab/Echo", nil, nil, codes.Unimplemented},
		"other case":         {"/lab.lab/echo", nil, nil, codes.Unimplemented},
		"percent":            {"/lab.Lab/%45cho", nil, nil, codes.Unimplemented},
		"query":              {"/lab.Lab/Echo?x=1", nil, nil, codes.Unimplemented},
		"long service":       {"/" + long + "/Echo", nil, nil, codes.Unimplemented},
		"long method":        {"/lab.Lab/" + long, nil, nil, codes.Unimplemented},
		"weird":              {"/lab.Lab/Ec\tho ☺ \xff", nil, nil, codes.Unimplemented},
		"content subtype":    {lab.Echo, []grpc.CallOption{grpc.CallContentSubtype("json")}, nil, codes.Unimplemented},
		"other subtype":      {lab.Echo, []grpc.CallOption{grpc.CallContentSubtype("protox")}, nil, codes.Unimplemented},
		"proto subtype":      {lab.Echo, []grpc.CallOption{grpc.CallContentSubtype("proto")}, nil, codes.OK},
		"metadata too large": {lab.Echo, nil, []string{"large", strings.Repeat("x", 100_000)}, codes.Internal},
		"metadata large":     {lab.Echo, nil, []string{"large", strings.Repeat("x", 50_000)}, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.AppendToOutgoingContext(rig.Context(t), test.md...)
			_, err := rig.Invoke(ctx, conn, test.path, nil, test.opts...)
			if name == "metadata too large" {
				if err == nil {
					t.Error("want an error")
				}
			} else {
				rig.WantCode(t, err, test.want)
			}
			if len(fmt.Sprint(err)) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			lab.Alive(t, s)
		})
	}
}

// TestCardinality checks that a side which does not stream sends one message.
func TestCardinality(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	one := rig.Text(1, "x")
	for name, test := range map[string]struct {
		path     string
		messages [][]byte
		want     codes.Code
		answers  int
	}{
		"unary, none":                 {lab.Echo, nil, codes.Unimplemented, 0},
		"unary, one":                  {lab.Echo, [][]byte{one}, codes.OK, 1},
		"unary, two":                  {lab.Echo, [][]byte{one, one}, codes.Unimplemented, 0},
		"unary, empty":                {lab.Echo, [][]byte{nil}, codes.OK, 1},
		"server stream, none":         {lab.Down, nil, codes.Unimplemented, 0},
		"server stream, one":          {lab.Down, [][]byte{rig.Number(4, 3)}, codes.OK, 3},
		"server stream, two":          {lab.Down, [][]byte{rig.Number(4, 3), one}, codes.Unimplemented, 0},
		"server stream, no answer":    {lab.Down, [][]byte{one}, codes.OK, 0},
		"client stream, none":         {lab.Up, nil, codes.OK, 1},
		"client stream, two":          {lab.Up, [][]byte{one, one}, codes.OK, 1},
		"bidi, none":                  {lab.Chat, nil, codes.OK, 0},
		"bidi, two":                   {lab.Chat, [][]byte{one, one}, codes.OK, 2},
		"dynamic unary, none":         {lab.EchoDynamic, nil, codes.Unimplemented, 0},
		"dynamic unary, two":          {lab.EchoDynamic, [][]byte{one, one}, codes.Unimplemented, 0},
		"no handler, none":            {"/lab.Lab/Nobody", nil, codes.Unimplemented, 0},
		"unary that does not receive": {lab.Raw, nil, codes.Unimplemented, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rig.Open(rig.Context(t), t, s.Conn, test.path).Send(test.messages...).Done().All()
			rig.WantCode(t, err, test.want)
			if len(got) != test.answers {
				t.Errorf("got %d answers, want %d", len(got), test.answers)
			}
			lab.Alive(t, s)
		})
	}
}

// TestCompressedHostile sends hostile messages compressed.
func TestCompressedHostile(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, lab.BadMapEntry, grpc.UseCompressor(gzip.Name))
	rig.WantCode(t, err, codes.OK)
	_, err = rig.Invoke(rig.Context(t), s.Conn, lab.Echo, []byte{0x80}, grpc.UseCompressor(gzip.Name))
	rig.WantCode(t, err, codes.Internal)
	lab.Alive(t, s)
}
