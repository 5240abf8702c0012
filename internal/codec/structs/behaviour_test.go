package structs_test

import (
	"bytes"
	"reflect"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec/structs"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

func TestUnknownFields(t *testing.T) {
	type keeper struct {
		Name string
		Rest []byte `proto:",unknown"`
	}
	md := message(t, "p3.Leaf")
	plan := must(structs.Bind[keeper](md, structs.Options{}))
	// n, a group, name, a fixed64, name with another wire type
	wire := []byte("\x10\x05\x1b\x08\x01\x1c\x0a\x01x\x21\x00\x00\x00\x00\x00\x00\x00\x01\x08\x07")
	var v keeper
	must(0, plan.Unmarshal(wire, &v))
	rest := strings.Replace(string(wire), "\x0a\x01x", "", 1)
	if v.Name != "x" || string(v.Rest) != rest {
		t.Errorf("got %q", v)
	}
	if out := must(plan.Append(nil, &v)); string(out) != "\x0a\x01x"+rest {
		t.Errorf("wrote %q", out)
	}
	dropper := must(structs.Bind[struct{ Name string }](md, structs.Options{}))
	w := struct{ Name string }{}
	must(0, dropper.Unmarshal(wire, &w))
	if out := must(dropper.Append(nil, &w)); string(out) != "\x0a\x01x" {
		t.Errorf("wrote %q", out)
	}
}

func TestClosedEnums(t *testing.T) {
	type closed struct {
		One          int32
		Many, Packed []string
		Named        map[string]int32
		A, B         *int32
		Rest         []byte `proto:",unknown"`
	}
	plan := must(structs.Bind[closed](message(t, "p2.Closed"), structs.Options{}))
	wire := []byte("\x08\x05\x08\x07" + "\x10\x01\x10\x07\x10\x05" + "\x1a\x03\x01\x07\x05" + // 7 is no Grade
		"\x22\x05\x0a\x01a\x10\x01" + "\x22\x05\x0a\x01b\x10\x07" + "\x30\x02\x28\x07")
	var v closed
	must(0, plan.Unmarshal(wire, &v))
	want := closed{
		5,
		[]string{"GOOD", "BEST"},
		[]string{"GOOD", "BEST"},
		map[string]int32{"a": 1},
		nil, ptr(int32(2)),
		[]byte("\x08\x07\x10\x07\x18\x07\x22\x05\x0a\x01b\x10\x07\x28\x07"),
	}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("got\n%+v, want\n%+v", v, want)
	}
}

// TestMapEntries has entries as no encoder writes them.
func TestMapEntries(t *testing.T) {
	type maps struct {
		SS map[string]string
		SL map[string]*leaf
	}
	plan := must(structs.Bind[maps](message(t, "p3.Maps"), structs.Options{}))
	for wire, want := range map[string]maps{
		"\x0a\x00":                                             {SS: map[string]string{"": ""}},
		"\x0a\x03\x0a\x01a":                                    {SS: map[string]string{"a": ""}},
		"\x0a\x05\x0a\x01a\x08\x01":                            {SS: map[string]string{"a": ""}}, // a key of another wire type
		"\x0a\x06\x12\x01v\x0a\x01k":                           {SS: map[string]string{"k": "v"}},
		"\x0a\x06\x0a\x01a\x0a\x01b":                           {SS: map[string]string{"b": ""}},
		"\x0a\x05\x0a\x01a\x18\x01":                            {SS: map[string]string{"a": ""}}, // an unknown field
		"\x0a\x03\x0a\x01a\x0a\x03\x12\x01v":                   {SS: map[string]string{"a": "", "": "v"}},
		"\x0a\x06\x0a\x01a\x12\x01v\x0a\x06\x0a\x01a\x12\x01w": {SS: map[string]string{"a": "w"}},
		"\x32\x00": {SL: map[string]*leaf{"": {}}},
		"\x32\x08\x12\x02\x10\x01\x12\x02\x10\x02":  {SL: map[string]*leaf{"": {N: 2}}},
		"\x32\x09\x12\x02\x10\x01\x12\x03\x0a\x01x": {SL: map[string]*leaf{"": {"x", 1}}}, // values merge
	} {
		var v maps
		if err := plan.Unmarshal([]byte(wire), &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%q: got %+v, %v", wire, v, err)
		}
	}
}

func TestUnmarshalResets(t *testing.T) {
	plan := must(structs.Bind[leaf](message(t, "p3.Leaf"), structs.Options{}))
	v := leaf{"old", 7}
	must(0, plan.Unmarshal([]byte{16, 1}, &v))
	if v != (leaf{"", 1}) {
		t.Errorf("got %+v", v)
	}
}

func TestAlias(t *testing.T) {
	wire := must(proto.Marshal(shop.NewOrder(2)))
	md := shop.NewOrder(0).ProtoReflect().Descriptor()
	for _, alias := range []bool{false, true} {
		plan := must(structs.Bind[order](md, structs.Options{Alias: alias}))
		in := bytes.Clone(wire)
		var v order
		must(0, plan.Unmarshal(in, &v))
		_ = append(v.Signature, 0) // must not reach into the input
		if !bytes.Equal(in, wire) {
			t.Error("the input was changed")
		}
		clear(in)
		if pointsInto := v.ID != shop.NewOrder(2).Id; pointsInto != alias {
			t.Errorf("alias %v: points into the input: %v", alias, pointsInto)
		}
	}
}

func TestMarshal(t *testing.T) {
	for _, n := range []int{0, 1, 50} {
		want := shop.NewOrder(n)
		plan := must(structs.Bind[order](want.ProtoReflect().Descriptor(), structs.Options{}))
		var v order
		must(0, plan.Unmarshal(must(proto.Marshal(want)), &v))
		for _, pool := range []mem.BufferPool{nil, mem.DefaultBufferPool(), mem.NopBufferPool{}} {
			buf := must(plan.Marshal(&v, pool))
			checkSame(t, plan.Descriptor(), buf.ReadOnlyData(), must(proto.Marshal(want)))
			buf.Free()
		}
	}
}

func TestConcurrency(t *testing.T) {
	want := shop.NewOrder(5)
	wire := must(proto.Marshal(want))
	plan := must(structs.Bind[order](want.ProtoReflect().Descriptor(), structs.Options{}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				var v order
				must(0, plan.Unmarshal(wire, &v))
				_ = plan.Unmarshal(wire[:len(wire)/2], &order{})
				checkSame(t, plan.Descriptor(), must(plan.Append(nil, &v)), wire)
			}
		})
	}
	all.Wait()
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	pool := mem.DefaultBufferPool()
	budget := func(name string, want float64, f func()) {
		t.Helper()
		if got := testing.AllocsPerRun(200, f); got > want {
			t.Errorf("%s: %v allocations, want at most %v", name, got, want)
		}
	}
	greeting := must(proto.Marshal(helloSubject.m))
	hellos := must(structs.Bind[hello](helloSubject.m.ProtoReflect().Descriptor(), structs.Options{}))
	var h hello
	budget("decode hello", 1, func() { must(0, hellos.Unmarshal(greeting, &h)) })
	budget("encode hello", 2, func() { must(hellos.Marshal(&h, pool)).Free() })
	wire := must(proto.Marshal(orderSubject.m))
	orders := must(structs.Bind[order](orderSubject.m.ProtoReflect().Descriptor(), structs.Options{}))
	var o order
	budget("decode order", 64, func() { must(0, orders.Unmarshal(wire, &o)) })
	budget("encode order", 1, func() { must(orders.Marshal(&o, pool)).Free() })
}
