package dynamic_test

import (
	"bytes"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/wire"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	fd := m.Descriptor().Fields().ByName(name)
	if fd == nil {
		panic("no field " + name)
	}
	return fd
}

// order is a message with everything in it.
func order(t testing.TB) *dynamic.Message {
	t.Helper()
	want := shop.NewOrder(16)
	m := dynamic.NewMessage(want.ProtoReflect().Descriptor())
	if err := proto.Unmarshal(must(proto.Marshal(want)), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOtherPackages passes a message through the packages that take any.
func TestOtherPackages(t *testing.T) {
	want, m := shop.NewOrder(16), order(t)
	if diff := cmp.Diff(want, m, protocmp.Transform()); diff != "" {
		t.Errorf("cmp: %s", diff)
	}
	again := m.New().Interface()
	must(0, protojson.Unmarshal(must(protojson.Marshal(m)), again))
	if !proto.Equal(again, m) {
		t.Errorf("protojson: got %v", again)
	}
	again = m.New().Interface()
	must(0, prototext.Unmarshal(must(prototext.Marshal(m)), again))
	if !proto.Equal(again, m) {
		t.Errorf("prototext: got %v", again)
	}
	var buf bytes.Buffer
	must(protodelim.MarshalTo(&buf, m))
	again = m.New().Interface()
	if err := protodelim.UnmarshalFrom(&buf, again); err != nil || !proto.Equal(again, m) {
		t.Errorf("protodelim: %v: got %v", err, again)
	}
	if proto.Size(m) != proto.Size(want) {
		t.Errorf("size %d, want %d", proto.Size(m), proto.Size(want))
	}
	if !strings.Contains(m.String(), "Ada Lovelace") {
		t.Errorf("String() = %q", m)
	}
	proto.Reset(m)
	if proto.Size(m) != 0 || !proto.Equal(m, m.New().Interface()) {
		t.Errorf("after Reset: %v", m)
	}
}

// TestMergeIsReading compares Merge with reading two messages one after the other.
func TestMergeIsReading(t *testing.T) {
	for seed := range uint64(600) {
		s := subjectOf(seed)
		w := newWire(seed, s)
		a, b := w.Message(s.typ.Descriptor(), 3), w.Message(s.typ.Descriptor(), 3)
		opts := proto.UnmarshalOptions{AllowPartial: true, Resolver: s.ours, Merge: true}
		dst, src, want := s.typ.NewMessage(), s.typ.NewMessage(), s.typ.NewMessage()
		if opts.Unmarshal(a, dst) != nil || opts.Unmarshal(b, src) != nil {
			continue // a string is not UTF-8
		}
		deterministic := proto.MarshalOptions{Deterministic: true, AllowPartial: true}
		before := must(deterministic.Marshal(src))
		must(0, opts.Unmarshal(slices.Concat(a, before), want))
		proto.Merge(dst, src)
		if got, want := must(deterministic.Marshal(dst)), must(deterministic.Marshal(want)); !bytes.Equal(got, want) {
			t.Fatalf("%x and %x merge to\n%x, want\n%x\n%s", a, b, got, want, s)
		}
		spoil(dst)
		if after := must(deterministic.Marshal(src)); !bytes.Equal(before, after) {
			t.Fatalf("a change of the merged message changed what was merged into it\n%s", s)
		}
	}
}

// spoil changes all that can be changed in place.
func spoil(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, e protoreflect.Value) bool {
				spoilValue(fd.MapValue(), e)
				v.Map().Clear(k)
				return true
			})
		case fd.IsList():
			for i := range v.List().Len() {
				spoilValue(fd, v.List().Get(i))
			}
			v.List().Truncate(0)
		default:
			spoilValue(fd, v)
		}
		return true
	})
	for i := range m.GetUnknown() {
		m.GetUnknown()[i] ^= 0xff
	}
}

func spoilValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case fd.Message() != nil:
		spoil(v.Message())
	case fd.Kind() == protoreflect.BytesKind:
		for i := range v.Bytes() {
			v.Bytes()[i] ^= 0xff
		}
	}
}

// TestForeignValues sets what other implementations made.
func TestForeignValues(t *testing.T) {
	want := shop.NewOrder(3)
	for name, from := range map[string]protoreflect.Message{
		"generated": want.ProtoReflect(), "dynamicpb": dynamicpbOf(want), "other Types": order3(t).ProtoReflect(),
	} {
		m := dynamic.NewMessage(want.ProtoReflect().Descriptor())
		from.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			m.Set(fd, v)
			return true
		})
		if !proto.Equal(m, want) {
			t.Errorf("%s: got %v", name, m)
		}
		merged := dynamic.NewMessage(want.ProtoReflect().Descriptor())
		proto.Merge(merged, from.Interface())
		if !proto.Equal(merged, want) {
			t.Errorf("%s: merged %v", name, merged)
		}
	}
	known := dynamic.NewMessage(message(t, "p3.Known"))
	at := &timestamppb.Timestamp{Seconds: 5}
	known.Set(field(known, "at"), protoreflect.ValueOfMessage(at.ProtoReflect()))
	if got := known.String(); !strings.Contains(got, "seconds:5") && !strings.Contains(got, "seconds: 5") {
		t.Errorf("got %s", got)
	}
}

func dynamicpbOf(m proto.Message) protoreflect.Message {
	d := dynamicpb.NewMessage(m.ProtoReflect().Descriptor())
	proto.Merge(d, m)
	return d
}

func order3(t testing.TB) *dynamic.Message {
	m := order(t)
	m.Mutable(field(m, "items")).List().Truncate(3)
	return m
}

// TestSetPanics sets what does not fit.
func TestSetPanics(t *testing.T) {
	m := dynamic.NewMessage(message(t, "p3.Scalars"))
	other := dynamic.NewMessage(message(t, "p3.Leaf"))
	for name, f := range map[string]func(){
		"64 bits into 32":          func() { m.Set(field(m, "i32"), protoreflect.ValueOfInt64(1)) },
		"32 bits into 64":          func() { m.Set(field(m, "i64"), protoreflect.ValueOfInt32(1)) },
		"unsigned into signed":     func() { m.Set(field(m, "i32"), protoreflect.ValueOfUint32(1)) },
		"float into double":        func() { m.Set(field(m, "db"), protoreflect.ValueOfFloat32(1)) },
		"double into float":        func() { m.Set(field(m, "fl"), protoreflect.ValueOfFloat64(1)) },
		"bytes into string":        func() { m.Set(field(m, "st"), protoreflect.ValueOfBytes(nil)) },
		"string into bytes":        func() { m.Set(field(m, "by"), protoreflect.ValueOfString("")) },
		"int into enum":            func() { m.Set(field(m, "color"), protoreflect.ValueOfInt32(1)) },
		"nothing":                  func() { m.Set(field(m, "st"), protoreflect.Value{}) },
		"a field of another type":  func() { m.Set(field(other, "name"), protoreflect.ValueOfString("")) },
		"Get of another type":      func() { m.Get(field(other, "name")) },
		"Mutable of a scalar":      func() { m.Mutable(field(m, "st")) },
		"a change of the zero":     func() { m.Type().Zero().Set(field(m, "st"), protoreflect.ValueOfString("x")) },
		"unknown into the zero":    func() { m.Type().Zero().SetUnknown([]byte{8, 1}) },
		"a message of another":     func() { nest(t).Set(field(nest(t), "leaf"), protoreflect.ValueOfMessage(m)) },
		"a read-only message":      func() { n := nest(t); n.Set(field(n, "leaf"), n.Get(field(n, "leaf"))) },
		"merge into the zero":      func() { proto.Merge(m.Type().Zero().Interface(), m) },
		"a message inside itself":  func() { n := nest(t); n.Set(field(n, "next"), protoreflect.ValueOfMessage(n)); proto.Clone(n) },
		"a string into numbers":    func() { l := lists(t); l.Mutable(field(l, "i32")).List().Append(protoreflect.ValueOfString("")) },
		"an element beyond a list": func() { l := lists(t); l.Mutable(field(l, "i32")).List().Get(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}

func nest(t testing.TB) *dynamic.Message  { return dynamic.NewMessage(message(t, "p3.Nest")) }
func lists(t testing.TB) *dynamic.Message { return dynamic.NewMessage(message(t, "p3.Lists")) }

// TestCycles writes messages that contain themselves: an error, not the end of the
// process.
func TestCycles(t *testing.T) {
	n := nest(t)
	n.Set(field(n, "next"), protoreflect.ValueOfMessage(n))
	if _, err := proto.Marshal(n); err == nil {
		t.Error("proto.Marshal writes it")
	}
	if _, err := (dynamic.Options{}).Append(nil, n); err == nil {
		t.Error("Append writes it")
	}
}

// TestInvalidUTF8 sets strings that are not UTF-8: they are refused when they are
// written, as in generated code.
func TestInvalidUTF8(t *testing.T) {
	bad := protoreflect.ValueOfString("\xff")
	key := protoreflect.ValueOfString("\xff").MapKey()
	good := protoreflect.ValueOfString("x")
	for name, make := range map[string]func() (*dynamic.Message, func()){
		"st": func() (*dynamic.Message, func()) {
			m := dynamic.NewMessage(message(t, "p3.Scalars"))
			m.Set(field(m, "st"), bad)
			return m, func() { m.Set(field(m, "st"), good) }
		},
		"st[1]": func() (*dynamic.Message, func()) {
			m := lists(t)
			l := m.Mutable(field(m, "st")).List()
			l.Append(good)
			l.Append(bad)
			return m, func() { l.Set(1, good) }
		},
		`ss["k"]`: func() (*dynamic.Message, func()) {
			m := dynamic.NewMessage(message(t, "p3.Maps"))
			entries := m.Mutable(field(m, "ss")).Map()
			entries.Set(protoreflect.ValueOfString("k").MapKey(), bad)
			return m, func() { entries.Set(protoreflect.ValueOfString("k").MapKey(), good) }
		},
		`il`: func() (*dynamic.Message, func()) { // a key of a map with messages
			m := dynamic.NewMessage(message(t, "p3.Maps"))
			entries := m.Mutable(field(m, "sl")).Map()
			entries.Set(key, entries.NewValue())
			return m, func() { entries.Clear(key) }
		},
	} {
		m, mend := make()
		_, err := proto.Marshal(m)
		if err == nil || !strings.Contains(err.Error(), "UTF-8") || name != "il" && !strings.Contains(err.Error(), "field "+name+":") {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := proto.Marshal(proto.Clone(m)); err == nil {
			t.Errorf("%s: a clone is written", name)
		}
		mend()
		if _, err := proto.Marshal(m); err != nil {
			t.Errorf("%s: after it was set right: %v", name, err)
		}
	}
	loose := dynamic.NewMessage(message(t, "p2.Text"))
	loose.Set(field(loose, "s"), bad)
	if _, err := proto.Marshal(loose); err != nil {
		t.Errorf("proto2: %v", err)
	}
}

// TestErrors checks the paths in errors.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		message protoreflect.FullName
		wire    string
		want    string
	}{
		{"p3.Nest", "\x12\x00\x12\x02\x0a\x05", "malformed message: p3.Nest, field leaves[1].name: the input ends within a field"},
		{"p3.Maps", "\x32\x07\x0a\x01k\x12\x02\x10\x80", `malformed message: p3.Maps, field sl["k"].n: the input ends within a field`},
		{"p3.Maps", "\x12\x06\x08\x07\x12\x02\x10\x80", `malformed message: p3.Maps, field il[7].n: the input ends within a field`},
		{"p3.Lists", "\x72\x00\x72\x01\xff", "malformed message: p3.Lists, field st[1]: the string is not valid UTF-8"},
		{"p2.Groups", "\x0b\x10\x80", "malformed message: p2.Groups, field One.n: the input ends within a field"},
		{"p2.Required", "\x08\x01\x22\x02\x08\x01", "required field missing: p2.Required: name, list[0].name"},
		{"p2.Required", "\x08\x01\x12\x00\x2a\x05\x0a\x01k\x12\x00", `required field missing: p2.Required: named["k"].id, named["k"].name`},
	} {
		m := dynamic.NewMessage(message(t, c.message))
		err := dynamic.Options{}.Unmarshal([]byte(c.wire), m)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %x: got  %v\nwant %s", c.message, c.wire, err, c.want)
		}
	}
	m := dynamic.NewMessage(message(t, "p2.Required"))
	if _, err := (dynamic.Options{}).Append(nil, m); err == nil || err.Error() != "required field missing: p2.Required: id, name" {
		t.Errorf("writing: %v", err)
	}
}

// TestDepth keeps to the limits of nesting.
func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		var b []byte
		for range n - 1 {
			b = slices.Concat([]byte{0x1a}, appendVarint(nil, len(b)), b)
		}
		return b
	}
	for levels, ok := range map[int]bool{wire.MaxDepth: true, wire.MaxDepth + 1: false} {
		if err := (dynamic.Options{}).Unmarshal(nested(levels), nest(t)); (err == nil) != ok {
			t.Errorf("%d levels: %v", levels, err)
		}
	}
	for _, c := range []struct {
		levels, limit int
		ok            bool
	}{{10, 10, true}, {11, 10, false}, {20_000, 100_000, false}} {
		err := proto.UnmarshalOptions{RecursionLimit: c.limit}.Unmarshal(nested(c.levels), nest(t))
		if (err == nil) != c.ok {
			t.Errorf("%d levels of %d: %v", c.levels, c.limit, err)
		}
	}
}

func appendVarint(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// TestMapOrder removes entries while it goes over them, of small and large maps.
func TestMapOrder(t *testing.T) {
	for _, n := range []int{1, 8, 9, 100} {
		m := dynamic.NewMessage(message(t, "p3.Maps"))
		entries := m.Mutable(field(m, "ui")).Map()
		for i := range n {
			entries.Set(protoreflect.ValueOfUint32(uint32(i)).MapKey(), protoreflect.ValueOfInt64(int64(-i)))
		}
		seen := map[uint32]bool{}
		entries.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			seen[uint32(k.Uint())] = true
			if v.Int() != -int64(k.Uint()) {
				t.Errorf("%d: %v", k.Uint(), v)
			}
			if k.Uint()%3 != 0 {
				entries.Clear(k)
			}
			return true
		})
		if len(seen) != n || entries.Len() != (n+2)/3 {
			t.Errorf("of %d: %d seen, %d left", n, len(seen), entries.Len())
		}
		for i := range n {
			if entries.Has(protoreflect.ValueOfUint32(uint32(i)).MapKey()) != (i%3 == 0) {
				t.Errorf("of %d: %d is wrong", n, i)
			}
		}
	}
}

// TestMapRange changes a map while it is ranged over.
func TestMapRange(t *testing.T) {
	for _, n := range []int{3, 20} {
		m := dynamic.NewMessage(message(t, "p3.Maps"))
		entries := m.Mutable(field(m, "ui")).Map()
		key := func(i int) protoreflect.MapKey { return protoreflect.ValueOfUint32(uint32(i)).MapKey() }
		for i := range n {
			entries.Set(key(i), protoreflect.ValueOfInt64(int64(i)))
		}
		seen := 0
		entries.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			seen++
			entries.Clear(k)
			entries.Set(k, v)
			return true
		})
		if seen != n || entries.Len() != n {
			t.Errorf("%d entries: saw %d, left %d", n, seen, entries.Len())
		}
		seen = 0
		entries.Range(func(protoreflect.MapKey, protoreflect.Value) bool {
			seen++
			for i := range n {
				entries.Clear(key(i))
			}
			return true
		})
		if seen != 1 || entries.Len() != 0 {
			t.Errorf("%d entries, cleared: saw %d, left %d", n, seen, entries.Len())
		}
	}
}

// TestManyKeys puts so many entries that looking for each of them at each would
// take minutes.
func TestManyKeys(t *testing.T) {
	var b []byte
	for i := range 200_000 {
		key := appendVarint([]byte{8}, i)
		b = append(append(b, 0x52, byte(len(key))), key...)
	}
	m := dynamic.NewMessage(message(t, "p3.Maps"))
	must(0, dynamic.Options{}.Unmarshal(b, m))
	if got := m.Get(field(m, "ui")).Map().Len(); got != 200_000 {
		t.Errorf("got %d entries", got)
	}
}

// TestSignalingNaN keeps all bits of numbers.
func TestSignalingNaN(t *testing.T) {
	in := []byte("\x5d\x01\x00\x80\x7f\x61\x01\x00\x00\x00\x00\x00\xf0\x7f")
	m := dynamic.NewMessage(message(t, "p3.Scalars"))
	must(0, dynamic.Options{}.Unmarshal(in, m))
	if out := must(proto.Marshal(m)); !bytes.Equal(in, out) || !math.IsNaN(m.Get(field(m, "db")).Float()) {
		t.Errorf("got %x", out)
	}
}

// TestReaders reads one message in many goroutines, for the race detector: also
// what is compiled when it is first needed.
func TestReaders(t *testing.T) {
	m := order(t)
	want := must(proto.MarshalOptions{Deterministic: true}.Marshal(m))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range m.Descriptor().Fields().Len() {
				m.Get(m.Descriptor().Fields().Get(i))
			}
			_ = prototext.Format(m)
			if got := must(proto.MarshalOptions{Deterministic: true}.Marshal(proto.Clone(m))); !bytes.Equal(got, want) {
				t.Error("another message")
			}
		})
	}
	all.Wait()
}

// TestSiblings changes messages that share a page in many goroutines.
func TestSiblings(t *testing.T) {
	m := order(t)
	items := m.Get(field(m, "items")).List()
	var all sync.WaitGroup
	for i := range items.Len() {
		all.Go(func() {
			item := items.Get(i).Message()
			item.Set(field(item, "quantity"), protoreflect.ValueOfInt32(int32(i)))
			price := item.Mutable(field(item, "price")).Message()
			price.Set(field(price, "currency"), protoreflect.ValueOfString("USD"))
			item.Mutable(field(item, "tags")).List().Append(protoreflect.ValueOfString("new"))
		})
	}
	all.Wait()
	for i := range items.Len() {
		item := items.Get(i).Message()
		tags := item.Get(field(item, "tags")).List()
		if item.Get(field(item, "quantity")).Int() != int64(i) || tags.Len() != 4 || tags.Get(3).String() != "new" || tags.Get(0).String() != "brass" {
			t.Errorf("item %d: %v", i, item)
		}
	}
}

// TestLeavesKeepLittle keeps one small message of each of many large ones.
func TestLeavesKeepLittle(t *testing.T) {
	b := must(proto.Marshal(shop.NewOrder(52)))
	typ := new(dynamic.Types).Message(shop.NewOrder(0).ProtoReflect().Descriptor())
	const n = 400
	kept := make([]protoreflect.Message, n)
	before := heap()
	for i := range kept {
		m := typ.NewMessage()
		must(0, dynamic.Options{}.Unmarshal(b, m))
		item := m.Get(field(m, "items")).List().Get(i % 52).Message()
		kept[i] = item.Get(field(item, "price")).Message()
	}
	if each := (heap() - before) / n; each > 4500 {
		t.Errorf("a leaf keeps %d bytes", each)
	}
	runtime.KeepAlive(kept)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// TestTypesAreCollected makes types and forgets them.
func TestTypesAreCollected(t *testing.T) {
	collected := make(chan bool, 1)
	func() {
		types := new(dynamic.Types)
		m := types.Message(message(t, "p3.Nest")).NewMessage()
		m.Mutable(field(m, "next")).Message()
		runtime.AddCleanup(types, func(c chan bool) { c <- true }, collected)
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-collected:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("the types are still there")
}

// TestAllocations keeps to the budgets.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := must(proto.Marshal(shop.NewOrder(16)))
	typ := new(dynamic.Types).Message(shop.NewOrder(0).ProtoReflect().Descriptor())
	m := order(t)
	budget := func(name string, want float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(100, f); got > want {
			t.Errorf("%s: %v allocations, want at most %v", name, got, want)
		}
	}
	budget("decode order", 45, func() { must(0, dynamic.Options{}.Unmarshal(b, typ.NewMessage())) })
	out := make([]byte, 0, 2*len(b))
	budget("encode order", 0, func() { must(dynamic.Options{}.Append(out, m)) })
	name, id, money := field(m, "customer_name"), field(m, "customer_id"), field(m, "total")
	text := protoreflect.ValueOfString("x")
	budget("Get, Set, Has", 0, func() {
		m.Set(id, protoreflect.ValueOfInt64(m.Get(id).Int()+1))
		m.Set(name, text)
		_, _ = m.Get(money).Message().IsValid(), m.Has(money)
	})
}
