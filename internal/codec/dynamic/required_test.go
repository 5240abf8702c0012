package dynamic_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// TestMissingBelowLongKey looks for required fields in many messages below a long
// key of a map: the key must not be copied for each, nor be all of the error.
func TestMissingBelowLongKey(t *testing.T) {
	const complete = "\x08\x01\x12\x00"
	for name, leaf := range map[string]string{"complete": "\x22\x04" + complete, "lacking": "\x22\x00"} {
		t.Run(name, func(t *testing.T) {
			entry := protowire.AppendString([]byte("\x0a"), strings.Repeat("k", 100_000))
			entry = protowire.AppendString(append(entry, 0x12), complete+strings.Repeat(leaf, 10_000))
			in := protowire.AppendBytes([]byte("\x2a"), entry)
			m := dynamic.NewMessage(message(t, "p2.Required"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := dynamic.Options{}.Unmarshal(in, m)
			runtime.ReadMemStats(&after)
			var required *wire.RequiredError
			if !errors.As(err, &required) || len(required.Paths) > 100 || len(err.Error()) > 20_000 {
				t.Errorf("%d bytes of error: %.200v", len(err.Error()), err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 20<<20 {
				t.Errorf("%d bytes of input take %d", len(in), n)
			}
		})
	}
}

// TestCyclesOfTwo has a message that contains itself twice: nothing may go through
// all the ways of that.
func TestCyclesOfTwo(t *testing.T) {
	m := dynamic.NewMessage(message(t, "p2.Required"))
	m.Set(field(m, "id"), protoreflect.ValueOfInt32(1))
	m.Set(field(m, "name"), protoreflect.ValueOfString("n"))
	for range 2 {
		m.Mutable(field(m, "list")).List().Append(protoreflect.ValueOfMessage(m))
	}
	_ = proto.CheckInitialized(m)
	if _, err := proto.Marshal(m); err == nil {
		t.Error("proto.Marshal writes it")
	}
}
