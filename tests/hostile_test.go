package tests

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"
)

// badMapEntry is a map entry with a good key and then a key of the wrong wire
// type, for lab.Msg.labels: it brings down servers that use dynamicpb.
var badMapEntry = []byte{0x12, 0x05, 0x0a, 0x01, 'a', 0x08, 0x01}

// nested is lab.Msg with that many messages inside each other. It has to be
// written from the inside out without copying what is inside each time.
func nested(depth int) []byte {
	heads, size := make([][]byte, depth), 0
	for i := range heads {
		heads[i] = protowire.AppendVarint([]byte{0x1a}, uint64(size))
		size += len(heads[i])
	}
	slices.Reverse(heads)
	return slices.Concat(heads...)
}

// groups are unknown groups inside each other.
func groups(depth int, closed bool) []byte {
	b := bytes.Repeat(protowire.AppendTag(nil, 9, protowire.StartGroupType), depth)
	if closed {
		b = append(b, bytes.Repeat(protowire.AppendTag(nil, 9, protowire.EndGroupType), depth)...)
	}
	return b
}

// hostileMessages are bodies that are no message, and some that are one against
// all appearances. What the wrong wire type makes of a known field is an unknown
// field, as in every protobuf implementation.
var hostileMessages = []struct {
	name string
	body []byte
	want codes.Code
}{
	{"nothing", nil, codes.OK},
	{"map entry with a key of the wrong type", badMapEntry, codes.OK},
	{"map entry with such a key only", []byte{0x12, 0x02, 0x08, 0x01}, codes.OK},
	{"map entry with a value of the wrong type", []byte{0x12, 0x05, 0x0a, 0x01, 'a', 0x10, 0x01}, codes.OK},
	{"empty map entry", []byte{0x12, 0x00}, codes.OK},
	{"truncated map entry", []byte{0x12, 0x05, 0x0a, 0x01}, codes.Internal},
	{"map entry whose key is not UTF-8", message(2, text(1, "\xff")), codes.Internal},
	{"number instead of string", number(1, 5), codes.OK},
	{"string instead of number", text(4, "x"), codes.OK},
	{"number instead of message", number(3, 5), codes.OK},
	{"fixed64 instead of string", []byte{0x09, 1, 2, 3, 4, 5, 6, 7, 8}, codes.OK},
	{"unknown field", text(1000, "x"), codes.OK},
	{"largest field number", text(protowire.MaxValidNumber, "x"), codes.OK},
	{"field number 0", []byte{0x00, 0x00}, codes.Internal},
	{"field number too large", []byte{0x80, 0x80, 0x80, 0x80, 0x10, 0x00}, codes.Internal},
	{"wire type 6", []byte{0x0e}, codes.Internal},
	{"wire type 7", []byte{0x0f, 0x01}, codes.Internal},
	{"truncated tag", []byte{0x80}, codes.Internal},
	{"truncated varint", []byte{0x20, 0x80}, codes.Internal},
	{"varint of 11 bytes", append([]byte{0x20}, bytes.Repeat([]byte{0x80}, 11)...), codes.Internal},
	{"varint beyond 64 bits", append(append([]byte{0x20}, bytes.Repeat([]byte{0xff}, 9)...), 0x7f), codes.Internal},
	{"truncated string", []byte{0x0a, 0x05, 'a'}, codes.Internal},
	{"string of 2^63 bytes", []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, codes.Internal},
	{"truncated fixed32", []byte{0x4d, 1, 2}, codes.Internal},
	{"truncated fixed64", []byte{0x49, 1, 2, 3}, codes.Internal},
	{"string that is not UTF-8", text(1, "\xff\xfe"), codes.Internal},
	{"bytes that are not UTF-8", text(5, "\xff\xfe"), codes.OK},
	{"surrogate in UTF-8", text(1, "\xed\xa0\x80"), codes.Internal},
	{"end of a group that did not begin", []byte{0x4c}, codes.Internal},
	{"group that does not end", []byte{0x4b}, codes.Internal},
	{"group that ends as another", []byte{0x4b, 0x54}, codes.Internal},
	{"nested 90 deep", nested(90), codes.OK},
	{"nested 99 deep", nested(99), codes.OK},
	{"nested 100 deep", nested(100), codes.Internal},
	{"nested 10,000 deep", nested(10_000), codes.Internal},
	{"nested 800,000 deep", nested(800_000), codes.Internal},
	{"nested 10,000 deep, not at the end", append(nested(10_000), text(1, "x")...), codes.Internal},
	{"groups 20,000 deep", groups(20_000, true), codes.Internal},
	{"groups 1,000,000 deep, open", groups(1_000_000, false), codes.Internal},
	{"many empty map entries", bytes.Repeat([]byte{0x12, 0x00}, 200_000), codes.OK},
	{"one string many times", bytes.Repeat(text(1, "x"), 200_000), codes.OK},
}

// TestHostileMessages sends them to a handler with plain structs and to one
// with dynamic messages, at once and in a stream.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	for _, path := range []string{labEcho, labEchoDynamic} {
		for _, test := range hostileMessages {
			t.Run(path+" "+test.name, func(t *testing.T) {
				t.Parallel()
				_, err := invoke(timeout(t), s.conn, path, test.body)
				wantCode(t, err, test.want)
				s.alive(t)
			})
		}
	}
	for _, path := range []string{labUp, labDown, labChat} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, test := range hostileMessages {
				_, err := open(timeout(t), t, s.conn, path).send(test.body).done().all()
				if wantCode(t, err, test.want); t.Failed() {
					t.Fatal(test.name)
				}
			}
			s.alive(t)
		})
	}
}

// TestHostileToBuiltins sends them to the server's own services. What they say
// is grpc's business; the server must survive it.
func TestHostileToBuiltins(t *testing.T) {
	t.Parallel()
	p := serve(t, "--channelz")
	conn := dial(t, p.addr())
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
			for _, test := range hostileMessages {
				_, _ = open(timeout(t), t, conn, path).send(test.body).done().all()
			}
			out, err := invoke(timeout(t), conn, "/Greeter/SayHello", text(1, "you"))
			if err != nil || textOf(out, 1) != "hello you" {
				t.Errorf("the server does not answer any more: %q, %v", out, err)
			}
		})
	}
}

// TestHostileToExamples sends them to every method of the example services.
func TestHostileToExamples(t *testing.T) {
	t.Parallel()
	p := serve(t, "--default-deadline", "1s")
	conn := dial(t, p.addr())
	for _, call := range calls {
		t.Run(call.method, func(t *testing.T) {
			t.Parallel()
			for _, test := range hostileMessages {
				_, _ = open(timeout(t), t, conn, "/"+call.method).send(test.body).done().all()
			}
		})
	}
}

// TestHostileNames asks reflection for what nobody would call a name.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := serve(t)
	conn := dial(t, p.addr())
	names := []string{
		"", ".", "..", "/", "a..b", ".Greeter", "Greeter.", "Greeter/SayHello", "\x00", "☺", "Greeter.SayHello.x",
		strings.Repeat("a.", 1<<19) + "a", strings.Repeat(".", 1<<20), strings.Repeat("a", 1<<20),
		"../../../etc/passwd", "/etc/passwd", "hello/../hello/hello.proto",
	}
	stream := open(timeout(t), t, conn, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
	for _, name := range names {
		for _, field := range []protowire.Number{3, 4, 6} { // file, symbol, all extensions of
			stream.send(text(field, name))
			if out := stream.mustRecv(); textOf(out, 4) != "" {
				t.Errorf("field %d, %.20q: found", field, name)
			}
		}
	}
	if _, err := stream.done().all(); err != nil {
		t.Error(err)
	}
	_, err := invoke(timeout(t), conn, "/grpc.health.v1.Health/Check", text(1, strings.Repeat("x", 1<<20)))
	wantCode(t, err, codes.NotFound)
	if len(err.Error()) > 1000 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

// TestHostileCalls breaks the rules of gRPC above HTTP/2.
func TestHostileCalls(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	conn := dial(t, s.addr, grpc.WithMaxHeaderListSize(1<<20))
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
		"content subtype":    {labEcho, []grpc.CallOption{grpc.CallContentSubtype("json")}, nil, codes.Unimplemented},
		"other subtype":      {labEcho, []grpc.CallOption{grpc.CallContentSubtype("protox")}, nil, codes.Unimplemented},
		"proto subtype":      {labEcho, []grpc.CallOption{grpc.CallContentSubtype("proto")}, nil, codes.OK},
		"metadata too large": {labEcho, nil, []string{"large", strings.Repeat("x", 100_000)}, codes.Internal},
		"metadata large":     {labEcho, nil, []string{"large", strings.Repeat("x", 50_000)}, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.AppendToOutgoingContext(timeout(t), test.md...)
			_, err := invoke(ctx, conn, test.path, nil, test.opts...)
			if name == "metadata too large" {
				if err == nil {
					t.Error("want an error")
				}
			} else {
				wantCode(t, err, test.want)
			}
			if len(errText(err)) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			s.alive(t)
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestCardinality checks that one is one.
func TestCardinality(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	one := text(1, "x")
	for name, test := range map[string]struct {
		path     string
		messages [][]byte
		want     codes.Code
		answers  int
	}{
		"unary, none":                 {labEcho, nil, codes.Unimplemented, 0},
		"unary, one":                  {labEcho, [][]byte{one}, codes.OK, 1},
		"unary, two":                  {labEcho, [][]byte{one, one}, codes.Unimplemented, 0},
		"unary, empty":                {labEcho, [][]byte{nil}, codes.OK, 1},
		"server stream, none":         {labDown, nil, codes.Unimplemented, 0},
		"server stream, one":          {labDown, [][]byte{number(4, 3)}, codes.OK, 3},
		"server stream, two":          {labDown, [][]byte{number(4, 3), one}, codes.Unimplemented, 0},
		"server stream, no answer":    {labDown, [][]byte{one}, codes.OK, 0},
		"client stream, none":         {labUp, nil, codes.OK, 1},
		"client stream, two":          {labUp, [][]byte{one, one}, codes.OK, 1},
		"bidi, none":                  {labChat, nil, codes.OK, 0},
		"bidi, two":                   {labChat, [][]byte{one, one}, codes.OK, 2},
		"dynamic unary, none":         {labEchoDynamic, nil, codes.Unimplemented, 0},
		"dynamic unary, two":          {labEchoDynamic, [][]byte{one, one}, codes.Unimplemented, 0},
		"no handler, none":            {"/lab.Lab/Nobody", nil, codes.Unimplemented, 0},
		"unary that does not receive": {labRaw, nil, codes.Unimplemented, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := open(timeout(t), t, s.conn, test.path).send(test.messages...).done().all()
			wantCode(t, err, test.want)
			if len(got) != test.answers {
				t.Errorf("got %d answers, want %d", len(got), test.answers)
			}
			s.alive(t)
		})
	}
}

// TestCompressedHostile sends what is compressed badly.
func TestCompressedHostile(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	_, err := invoke(timeout(t), s.conn, labEcho, badMapEntry, grpc.UseCompressor(gzip.Name))
	wantCode(t, err, codes.OK)
	_, err = invoke(timeout(t), s.conn, labEcho, []byte{0x80}, grpc.UseCompressor(gzip.Name))
	wantCode(t, err, codes.Internal)
	s.alive(t)
}
