package lab

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// wildProto has what made parsers of dynamic messages fail: maps of large and
// small messages, a oneof of words, strings and messages, groups.
var wildProto = `edition = "2023";
package wild;
import "google/protobuf/any.proto";
service Wild {
  rpc Echo(Msg) returns (Msg);
  rpc Chat(stream Msg) returns (stream Msg);
  rpc Ask(Question) returns (Msg);
  rpc AskAll(Question) returns (stream Msg);
  rpc AskAny(Question) returns (google.protobuf.Any);
}
message Question { string name = 1; }
message Msg {
  map<string, Big> big = 1;
  map<string, Small> small = 2;
  map<string, string> texts = 3;
  oneof pick {
    fixed64 fix = 4; string text = 5; Small sub = 6; int32 number = 7;
    int64 long = 8; sint64 zigzag = 9; uint64 unsigned = 10; bool yes = 11;
  }
  Small group = 12 [features.message_encoding = DELIMITED];
}
message Small { int32 n = 1; }
message Big { ` + manyFields(40) + ` }
`

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s f%d = %d; ", []string{"int32", "string", "Small", "repeated int64"}[i%4], i, i+1)
	}
	return b.String()
}

// WildMessages are messages of wild.Msg, or invalid bytes if JSON is empty. Each made
// some parser crash, write to an address that the bytes contain, read a wrong value,
// or accept invalid bytes.
var WildMessages = []struct{ Name, Body, JSON string }{
	{"value before key, large message", "\x0a\x05\x12\x00\x0a\x01a", `{"big":{"a":{}}}`},
	{"value before key, small message", "\x12\x05\x12\x00\x0a\x01a", `{"small":{"a":{}}}`},
	{"value before key, content", "\x12\x07\x12\x02\x08\x05\x0a\x01a", `{"small":{"a":{"n":5}}}`},
	{"key twice, value twice", "\x12\x0e\x0a\x01b\x12\x02\x08\x05\x12\x00\x0a\x01a\x12\x00", `{"small":{"a":{"n":5}}}`},
	{"key of another wire type", "\x1a\x05\x0a\x01a\x08\x01", `{"texts":{"a":""}}`},
	{"value of another wire type", "\x1a\x05\x0a\x01a\x10\x01", `{"texts":{"a":""}}`},
	{"entry with nothing", "\x0a\x00\x12\x00\x1a\x00", `{"big":{"":{}},"small":{"":{}},"texts":{"":""}}`},
	{"fixed64, then message", "\x21\x41\x41\x41\x41\x41\x00\x00\x00\x32\x02\x08\x01", `{"sub":{"n":1}}`},
	{"varint, then message", "\x38\x01\x32\x02\x08\x01", `{"sub":{"n":1}}`},
	{"string, then message", "\x2a\x01a\x32\x02\x08\x01", `{"sub":{"n":1}}`},
	{"message, then fixed64, then message", "\x32\x02\x08\x01\x21\x41\x41\x41\x41\x41\x00\x00\x00\x32\x00", `{"sub":{}}`},
	{"message twice", "\x32\x02\x08\x01\x32\x00", `{"sub":{"n":1}}`},
	{"int64 -1 in a oneof", "\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", `{"long":"-1"}`},
	{"int64 2^42 in a oneof", "\x40\x80\x80\x80\x80\x80\x80\x01", `{"long":"4398046511104"}`},
	{"sint64 -2^62 in a oneof", "\x48\xff\xff\xff\xff\xff\xff\xff\xff\x7f", `{"zigzag":"-4611686018427387904"}`},
	{"uint64 of all bits in a oneof", "\x50\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", `{"unsigned":"18446744073709551615"}`},
	{"bool with high bits only", "\x58\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", `{"yes":true}`},
	{"group", "\x63\x08\x07\x64", `{"group":{"n":7}}`},
	{"padded tag", "\xb8\x00\x00", `{"number":0}`},
	{"overlong tag", "\xb8\x80\x80\x80\x80\x00\x00", ""},
	{"tag of nine bytes", "\xb8\x80\x80\x80\x80\x80\x80\x80\x00\x00", ""},
	{"group closed as another", "\x63\x08\x07\x6c", ""},
	{"group that is not closed", "\x63\x08\x07", ""},
	{"end of a group without start", "\x64", ""},
	{"entry with an open group", "\x12\x02\x1b\x08", ""},
}

func registerWild(reg *handlers.Registry) {
	reg.Handle("wild.Wild/Echo", handlers.Unary(func(ctx context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) {
		out := handlers.MethodFrom(ctx).NewReply()
		proto.Merge(out.Interface(), in.Interface())
		return out, nil
	}))
	reg.Handle("wild.Wild/Chat", handlers.Bidi(func(_ context.Context, in iter.Seq2[*handlers.Dynamic, error]) iter.Seq2[*handlers.Dynamic, error] {
		return in
	}))
	for _, method := range []string{"Ask", "AskAll", "AskAny"} {
		reg.Handle("wild.Wild/"+method, handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
			return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error { return answerWild(call, method == "AskAny") }), nil
		}))
	}
}

// StartWild serves wildProto.
func StartWild(t testing.TB) *rig.Server {
	t.Helper()
	return rig.Local(t, rig.Config(t, wildProto, registerWild))
}

// answerWild answers with the body whose name the request contains.
func answerWild(call handlers.Call, pack bool) error {
	in, err := call.Recv()
	if err != nil {
		return err
	}
	defer in.Free()
	name := rig.TextOf(in.Materialize(), 1)
	for _, w := range WildMessages {
		if w.Name == name {
			body := []byte(w.Body)
			if pack {
				body = append(rig.Text(1, "x/wild.Msg"), rig.Text(2, w.Body)...)
			}
			return call.Send(mem.BufferSlice{mem.SliceBuffer(body)})
		}
	}
	return fmt.Errorf("no message %q", name)
}
