package structs_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/structs"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// requiredMessage has n required fields, f1 to fn, of type int32.
func requiredMessage(n int) protoreflect.MessageDescriptor {
	md := &descriptorpb.DescriptorProto{Name: proto.String("Many")}
	for i := range n {
		md.Field = append(md.Field, &descriptorpb.FieldDescriptorProto{
			Name: proto.String(fmt.Sprintf("f%d", i+1)), Number: proto.Int32(int32(i + 1)),
			Label: descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum(),
		})
	}
	file := &descriptorpb.FileDescriptorProto{Name: proto.String("many.proto"), MessageType: []*descriptorpb.DescriptorProto{md}}
	return must(protodesc.NewFile(file, nil)).Messages().Get(0)
}

// TestManyRequired has more required fields than a plan has bits, and most of
// them not bound.
func TestManyRequired(t *testing.T) {
	for _, n := range []int{3, 64, 65, 150} {
		md := requiredMessage(n)
		plan := must(structs.Bind[struct{ F2 int32 }](md, structs.Options{}))
		m := dynamicpb.NewMessage(md)
		for i := range n {
			m.Set(md.Fields().Get(i), protoreflect.ValueOfInt32(7))
		}
		var v struct{ F2 int32 }
		if err := plan.Unmarshal(must(proto.Marshal(m)), &v); err != nil || v.F2 != 7 {
			t.Errorf("%d: got %v, %v", n, v, err)
		}
		m.Clear(md.Fields().Get(n - 1))
		m.Clear(md.Fields().Get(1))
		wire := must(proto.MarshalOptions{AllowPartial: true}.Marshal(m))
		var required *structs.RequiredError
		err := plan.Unmarshal(wire, &v)
		if want := []string{fmt.Sprintf("f%d", n), "f2"}; !errors.As(err, &required) || !slices.Equal(slices.Sorted(slices.Values(want)), required.Paths) {
			t.Errorf("%d: got %v, want %v", n, err, want)
		}
	}
}

func TestRequiredInGenerated(t *testing.T) {
	type option struct {
		Name []*descriptorpb.UninterpretedOption_NamePart
	}
	md := (&descriptorpb.UninterpretedOption{}).ProtoReflect().Descriptor()
	plan := must(structs.Bind[option](md, structs.Options{}))
	var required *structs.RequiredError
	want := []string{"name[1].is_extension", "name[1].name_part"}
	var v option
	if err := plan.Unmarshal([]byte("\x12\x05\x0a\x01x\x10\x01\x12\x00"), &v); !errors.As(err, &required) || !slices.Equal(required.Paths, want) {
		t.Errorf("read: got %v", err)
	}
	if _, err := plan.Append(nil, &v); !errors.As(err, &required) || !slices.Equal(required.Paths, want) {
		t.Errorf("write: got %v", err)
	}
}

func TestBindForeignMessages(t *testing.T) {
	_, err := structs.Bind[struct{ At *dynamicpb.Message }](message(t, "p3.Known"), structs.Options{})
	if err == nil || !strings.Contains(err.Error(), "make it time.Time or *time.Time") {
		t.Errorf("got %v", err)
	}
}

// TestKeptParts keeps pieces of messages whose rest is garbage: blocks and
// arenas must hold what points into them.
func TestKeptParts(t *testing.T) {
	type part struct {
		price *money
		tags  []string
		text  string
		attrs map[string]string
	}
	want := shop.NewOrder(20)
	wire := must(proto.Marshal(want))
	plan := must(structs.Bind[order](want.ProtoReflect().Descriptor(), structs.Options{}))
	var parts []part
	for i := range 200 {
		var o order
		must(0, plan.Unmarshal(wire, &o))
		it := o.Items[i%20]
		parts = append(parts, part{it.Price, it.Tags, it.Title, it.Attributes})
		if i%20 == 0 {
			runtime.GC()
		}
	}
	runtime.GC()
	for i, p := range parts {
		it := want.Items[i%20]
		if p.text != it.Title || *p.price != (money{Currency: it.Price.Currency, Units: it.Price.Units, Nanos: it.Price.Nanos}) ||
			!slices.Equal(p.tags, it.Tags) || !reflect.DeepEqual(p.attrs, it.Attributes) {
			t.Fatalf("part %d is %+v", i, p)
		}
	}
}

// TestListsDoNotOverlap appends to a list that is cut from a block.
func TestListsDoNotOverlap(t *testing.T) {
	wire := must(proto.Marshal(shop.NewOrder(3)))
	plan := must(structs.Bind[order](shop.NewOrder(0).ProtoReflect().Descriptor(), structs.Options{}))
	var o order
	must(0, plan.Unmarshal(wire, &o))
	for _, it := range o.Items {
		it.Tags = append(it.Tags, "more")
	}
	for _, it := range o.Items {
		if !slices.Equal(it.Tags, []string{"brass", "analytical", "spare-part", "more"}) {
			t.Errorf("got %q", it.Tags)
		}
	}
}

// TestLargeMessages grows the buffer many times over.
func TestLargeMessages(t *testing.T) {
	type lists struct {
		Packed []int32
		Texts  []string
	}
	plan := must(structs.Bind[lists](message(t, "p3.Lists"), structs.Options{}))
	v := lists{Texts: []string{strings.Repeat("x", 3<<20)}}
	for i := range 500_000 {
		v.Packed = append(v.Packed, int32(i))
	}
	var back lists
	must(0, plan.Unmarshal(must(plan.Append(nil, &v)), &back))
	if !reflect.DeepEqual(v, back) {
		t.Error("the message changed on its way")
	}
}

// TestHostile has input that is small and would like to be large.
func TestHostile(t *testing.T) {
	const n = 200_000
	group := "\x23" + strings.Repeat("\x13", 98) + strings.Repeat("\x08\x01", n) + strings.Repeat("\x14", 98) + "\x24"
	for name, c := range map[string]struct {
		message protoreflect.FullName
		wire    string
	}{
		"entries with one key": {"p3.Maps", strings.Repeat("\x0a\x00", n)},
		"empty messages":       {"p3.Nest", strings.Repeat("\x12\x00", n)},
		"empty strings":        {"p3.Lists", strings.Repeat("\x1a\x00", n)},
		"packed numbers":       {"p3.Lists", "\x0a\x80\x89\x7a" + strings.Repeat("\x01", 2_000_000)},
		"lengths":              {"p3.Lists", strings.Repeat("\x1a\xff\xff\xff\x7f", n)},
		"nested groups":        {"ed.Mixed", "\x18\x00" + group},
		"unknown groups":       {"p3.Nest", strings.Repeat(strings.Repeat("\xa3\x06", 50)+strings.Repeat("\xa4\x06", 50), n/200)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_ = unmarshal(t, c.message, []byte(c.wire))
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 60*uint64(len(c.wire)) {
			t.Errorf("%s: %d bytes of input allocate %d", name, len(c.wire), used)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}
