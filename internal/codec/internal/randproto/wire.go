package randproto

import (
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Wire writes random messages on the wire: fields in any order and more
// than once, packed or not, with unknown ones between them.
type Wire struct {
	r *rand.Rand

	// Extensions are those that messages may have.
	Extensions map[protoreflect.FullName][]protoreflect.FieldDescriptor
}

// NewWire returns the Wire that belongs to a seed.
func NewWire(seed uint64) Wire { return Wire{r: rand.New(rand.NewPCG(seed, 2))} }

// Message returns a message that nests others up to depth times.
func (w Wire) Message(md protoreflect.MessageDescriptor, depth int) []byte {
	var b []byte
	for range w.r.IntN(10) {
		if w.r.IntN(12) == 0 || md.Fields().Len() == 0 {
			b = w.unknown(b)
			continue
		}
		b = w.field(b, w.pick(md), depth)
	}
	for i := range md.RequiredNumbers().Len() {
		if w.r.IntN(8) > 0 {
			b = w.field(b, md.Fields().ByNumber(md.RequiredNumbers().Get(i)), depth)
		}
	}
	return b
}

// pick returns one of the fields and extensions of a message.
func (w Wire) pick(md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	extensions := w.Extensions[md.FullName()]
	i, n := w.r.IntN(md.Fields().Len()+len(extensions)), md.Fields().Len()
	if i < n {
		return md.Fields().Get(i)
	}
	return extensions[i-n]
}

func (w Wire) unknown(b []byte) []byte {
	num := protowire.Number(1 + w.r.IntN(300))
	switch w.r.IntN(4) {
	case 0:
		return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), w.r.Uint64())
	case 1:
		return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), w.r.Uint64())
	case 2:
		return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), []byte("unknown"))
	}
	b = w.unknown(protowire.AppendTag(b, num, protowire.StartGroupType))
	return protowire.AppendTag(b, num, protowire.EndGroupType)
}

func (w Wire) field(b []byte, fd protoreflect.FieldDescriptor, depth int) []byte {
	switch {
	case fd.IsMap():
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), w.entry(fd, depth))
	case fd.Message() != nil:
		if depth == 0 {
			return b
		}
		body := w.Message(fd.Message(), depth-1)
		if fd.Kind() == protoreflect.GroupKind {
			b = append(protowire.AppendTag(b, fd.Number(), protowire.StartGroupType), body...)
			return protowire.AppendTag(b, fd.Number(), protowire.EndGroupType)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), body)
	case fd.IsList() && wire.TypeOf(fd.Kind()) != protowire.BytesType && w.r.IntN(2) == 0:
		var body []byte
		for range w.r.IntN(5) {
			body = w.value(body, fd)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), body)
	}
	return w.value(protowire.AppendTag(b, fd.Number(), wire.TypeOf(fd.Kind())), fd)
}

func (w Wire) entry(fd protoreflect.FieldDescriptor, depth int) []byte {
	var b []byte
	for range w.r.IntN(4) {
		b = w.field(b, fd.Message().Fields().Get(w.r.IntN(2)), depth)
	}
	if w.r.IntN(20) == 0 { // a key or value of another wire type, mostly
		b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(1+w.r.IntN(2)), protowire.VarintType), 1)
		b = protowire.AppendBytes(protowire.AppendTag(b, protowire.Number(1+w.r.IntN(2)), protowire.BytesType), nil)
	}
	return b
}

func (w Wire) value(b []byte, fd protoreflect.FieldDescriptor) []byte {
	x := []uint64{0, 1, 5, 7, math.MaxUint64 - 2, w.r.Uint64() >> w.r.IntN(64)}[w.r.IntN(6)]
	switch wire.TypeOf(fd.Kind()) {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, uint32(x))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, x)
	case protowire.BytesType:
		return protowire.AppendBytes(b, []byte([]string{"", "a", "7", "grüße", "\xff", "a longer text that is no default"}[w.r.IntN(6)]))
	}
	if x < 0x80 && w.r.IntN(10) == 0 {
		return append(b, byte(x)|0x80, 0) // one byte longer than it must be
	}
	return protowire.AppendVarint(b, x)
}

// Mutate changes, drops and inserts a few bytes of b, extra among them.
func (w Wire) Mutate(b, extra []byte) []byte {
	for range w.r.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := w.r.IntN(len(b))
		switch w.r.IntN(5) {
		case 0:
			b[i] ^= 1 << w.r.IntN(8)
		case 1:
			b = b[:i]
		case 2:
			b = append(b[:i], b[i+1:]...)
		case 3:
			b = append(b[:i:i], append([]byte{byte(w.r.Uint32())}, b[i:]...)...)
		case 4:
			b = append(b[:i:i], append(extra, b[i:]...)...)
		}
	}
	return b
}

// HasLongVarint reports whether b may have a tag of more than five bytes.
func HasLongVarint(b []byte) bool {
	run := 0
	for _, c := range b {
		if run++; c < 0x80 {
			run = 0
		}
		if run == 5 {
			return true
		}
	}
	return false
}
