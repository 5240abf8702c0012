package dynamic_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// TestModel does the same to messages of this package and of dynamicpb, at random:
// three of each, so that whatever one shares with another shows.
func TestModel(t *testing.T) {
	var all []protoreflect.MessageDescriptor
	eachMessage(func(md protoreflect.MessageDescriptor) { all = append(all, md) })
	for seed := range uint64(3000) {
		w := walk{Rand: rand.New(rand.NewPCG(seed, 1)), types: new(dynamic.Types)}
		md := all[w.IntN(len(all))]
		if seed%4 == 0 {
			md = message(t, "p2.Extendable")
		}
		if !t.Run(fmt.Sprint(md.FullName(), "/", seed), func(t *testing.T) { w.run(t, md) }) {
			return
		}
	}
}

// walk is one sequence of changes.
type walk struct {
	*rand.Rand
	types *dynamic.Types
	log   []string
}

func (w *walk) did(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *walk) run(t *testing.T, md protoreflect.MessageDescriptor) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%v after\n%s", p, strings.Join(w.log, "\n"))
		}
	}()
	var ours, theirs [3]protoreflect.Message
	for i := range ours {
		ours[i], theirs[i] = w.types.Message(md).New(), dynamicpb.NewMessage(md)
	}
	lax := proto.MarshalOptions{AllowPartial: true, Deterministic: true}
	for range 40 {
		i, j := w.IntN(3), w.IntN(3)
		switch raw := must(lax.Marshal(theirs[j].Interface())); w.IntN(6) {
		case 0:
			w.did("clone %d to %d", j, i)
			ours[i], theirs[i] = proto.Clone(ours[j].Interface()).ProtoReflect(), proto.Clone(theirs[j].Interface()).ProtoReflect()
		case 1:
			if i != j && len(raw) < 10_000 {
				w.did("merge %d into %d", j, i)
				proto.Merge(ours[i].Interface(), ours[j].Interface())
				proto.Merge(theirs[i].Interface(), theirs[j].Interface())
			}
		case 2:
			if len(raw) < 10_000 {
				w.did("read %x into %d", raw, i)
				merge := proto.UnmarshalOptions{AllowPartial: true, Merge: true}
				must(0, merge.Unmarshal(raw, ours[i].Interface()))
				must(0, merge.Unmarshal(raw, theirs[i].Interface()))
			}
		default:
			w.did("change %d", i)
			w.change(ours[i], theirs[i], 3)
		}
		for k := range ours {
			got, want := must(lax.Marshal(ours[k].Interface())), must(lax.Marshal(theirs[k].Interface()))
			if !bytes.Equal(got, want) && !equalAs(md, got, want) {
				t.Fatalf("message %d: got %x, want %x, after\n%s", k, got, want, strings.Join(w.log, "\n"))
			}
		}
	}
}

// equalAs compares what is not written in the same order.
func equalAs(md protoreflect.MessageDescriptor, a, b []byte) bool {
	x, y := dynamicpb.NewMessage(md), dynamicpb.NewMessage(md)
	lax := proto.UnmarshalOptions{AllowPartial: true}
	return lax.Unmarshal(a, x) == nil && lax.Unmarshal(b, y) == nil && proto.Equal(x, y)
}

// pick returns a field or an extension of a message, for ours and theirs.
func (w *walk) pick(md protoreflect.MessageDescriptor) (ours, theirs protoreflect.FieldDescriptor) {
	if md.FullName() == "p2.Extendable" && w.IntN(5) > 0 {
		xds := md.ParentFile().Extensions()
		xd := xds.Get(w.IntN(xds.Len()))
		if xd.ContainingMessage() == md {
			return w.types.Extension(xd).TypeDescriptor(), dynamicpb.NewExtensionType(xd).TypeDescriptor()
		}
	}
	if n := md.Fields().Len(); n > 0 {
		fd := md.Fields().Get(w.IntN(n))
		return fd, fd
	}
	return nil, nil
}

// change changes one field of both messages.
func (w *walk) change(ours, theirs protoreflect.Message, depth int) {
	fd, other := w.pick(ours.Descriptor())
	if fd == nil || depth == 0 {
		return
	}
	w.did("  %s", fd.FullName())
	if other.IsExtension() { // dynamicpb compares descriptors of extensions by identity
		theirs.Range(func(known protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			if known.FullName() == fd.FullName() {
				other = known
			}
			return true
		})
	}
	switch a, b := ours.Has(fd), theirs.Has(other); {
	case a != b:
		panic(fmt.Sprint("Has says ", a))
	case w.IntN(6) == 0:
		w.did("    clear")
		ours.Clear(fd)
		theirs.Clear(other)
	case fd.IsMap():
		w.changeMap(fd, ours.Mutable(fd).Map(), theirs.Mutable(other).Map(), depth)
	case fd.IsList():
		w.changeList(fd, ours.Mutable(fd).List(), theirs.Mutable(other).List(), depth)
	case fd.Message() == nil:
		v := w.value(fd)
		ours.Set(fd, v)
		theirs.Set(other, v)
	case w.IntN(4) == 0:
		a, b := ours.NewField(fd), theirs.NewField(other)
		w.change(a.Message(), b.Message(), depth-1)
		ours.Set(fd, a)
		theirs.Set(other, b)
	default:
		w.change(ours.Mutable(fd).Message(), theirs.Mutable(other).Message(), depth-1)
	}
	if a, b := ours.Get(fd), theirs.Get(other); fd.Message() == nil && !fd.IsList() && !a.Equal(b) {
		panic(fmt.Sprintf("Get says %v, want %v", a, b))
	}
}

func (w *walk) changeMap(fd protoreflect.FieldDescriptor, ours, theirs protoreflect.Map, depth int) {
	for range w.IntN(12) {
		key := w.value(fd.MapKey()).MapKey()
		switch op := w.IntN(5); {
		case op == 0:
			w.did("    clear %v", key)
			ours.Clear(key)
			theirs.Clear(key)
		case op == 1:
			w.did("    clear all but %v", key)
			for _, m := range []protoreflect.Map{ours, theirs} {
				m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
					if k.Interface() != key.Interface() {
						m.Clear(k)
					}
					return true
				})
			}
		case fd.MapValue().Message() != nil:
			w.did("    change %v", key)
			w.change(ours.Mutable(key).Message(), theirs.Mutable(key).Message(), depth-1)
		default:
			v := w.value(fd.MapValue())
			ours.Set(key, v)
			theirs.Set(key, v)
		}
		if ours.Len() != theirs.Len() || ours.Has(key) != theirs.Has(key) {
			panic(fmt.Sprintf("%d entries, want %d", ours.Len(), theirs.Len()))
		}
	}
}

func (w *walk) changeList(fd protoreflect.FieldDescriptor, ours, theirs protoreflect.List, depth int) {
	for range w.IntN(6) {
		n := ours.Len()
		switch op := w.IntN(6); {
		case op == 0:
			n = w.IntN(n + 1)
			w.did("    truncate %d", n)
			ours.Truncate(n)
			theirs.Truncate(n)
		case fd.Message() == nil && op == 1 && n > 0:
			v := w.value(fd)
			i := w.IntN(n)
			ours.Set(i, v)
			theirs.Set(i, v)
		case fd.Message() == nil:
			v := w.value(fd)
			ours.Append(v)
			theirs.Append(v)
		case op == 1 && n > 0:
			i := w.IntN(n)
			w.did("    set %d", i)
			a, b := ours.NewElement(), theirs.NewElement()
			w.change(a.Message(), b.Message(), depth-1)
			ours.Set(i, a)
			theirs.Set(i, b)
		case op == 2 && n > 0:
			i := w.IntN(n)
			w.did("    change %d", i)
			w.change(ours.Get(i).Message(), theirs.Get(i).Message(), depth-1)
		default:
			w.did("    append")
			w.change(ours.AppendMutable().Message(), theirs.AppendMutable().Message(), depth-1)
		}
	}
}

// value returns a number, string or bytes for a field: one of about a dozen, so
// that keys of maps meet again.
func (w *walk) value(fd protoreflect.FieldDescriptor) protoreflect.Value {
	n := int64(w.IntN(14) - 2)
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n > 5)
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(w.IntN(values.Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n << 27))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n << 42)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(n))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(n))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(bytes.Repeat([]byte{'b'}, w.IntN(3)))
	}
	return protoreflect.ValueOfString(strings.Repeat("s", int(n)+2))
}
