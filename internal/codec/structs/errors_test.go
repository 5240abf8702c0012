package structs_test

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

func nested(depth int) []byte {
	var b []byte
	for range depth {
		b = protowire.AppendBytes([]byte{3<<3 | 2}, b)
	}
	return b
}

func TestMalformed(t *testing.T) {
	long := strings.Repeat("\x80", 9)
	for name, c := range map[string]struct {
		message protoreflect.FullName
		wire    string
		want    string
	}{
		"truncated tag":             {"p3.Nest", "\x80", "the input ends"},
		"truncated varint":          {"p3.Scalars", "\x08\x80", "field i32"},
		"no varint":                 {"p3.Scalars", "\x08", "field i32"},
		"varint of 11 bytes":        {"p3.Scalars", "\x08\x80" + long + "\x01", "longer than 64 bits"},
		"varint over 64 bits":       {"p3.Scalars", "\x08" + long + "\x02", "longer than 64 bits"},
		"tag over 64 bits":          {"p3.Scalars", long + "\x02", "longer than 64 bits"},
		"field number 0":            {"p3.Scalars", "\x00\x00", "field number"},
		"field number 2^29":         {"p3.Scalars", "\x80\x80\x80\x80\x10\x00", "field number"},
		"field number 2^33":         {"p3.Scalars", "\x88\x80\x80\x80\x40\x00", "field number"},
		"tag of 6 bytes":            {"p3.Scalars", "\x88\x80\x80\x80\x80\x00\x01", "field number"},
		"tag of 9 bytes":            {"p3.Scalars", "\x88\x80\x80\x80\x80\x80\x80\x80\x00\x01", "field number"},
		"tag of 13 bytes":           {"p3.Scalars", "\x88" + long + "\x80\x80\x00\x01", "longer than 64 bits"},
		"tag of 6 bytes in a group": {"p3.Scalars", "\xa3\x06\x88\x80\x80\x80\x80\x00\x01\xa4\x06", "field number"},
		"wire type 6":               {"p3.Scalars", "\x0e\x00", "wire type"},
		"wire type 7":               {"p3.Scalars", "\x0f\x00", "wire type"},
		"truncated fixed32":         {"p3.Scalars", "\x1d\x00\x00\x00", "field sf32"},
		"truncated fixed64":         {"p3.Scalars", "\x31\x00\x00\x00\x00\x00\x00\x00", "field sf64"},
		"truncated unknown":         {"p3.Leaf", "\x39\x00\x00", "the input ends"},
		"length over the rest":      {"p3.Scalars", "\x72\x05abcd", "field st"},
		"huge length":               {"p3.Scalars", "\x72\xff\xff\xff\xff\x0f", "field st"},
		"huge length of 64 bits":    {"p3.Scalars", "\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "field st"},
		"huge packed length":        {"p3.Lists", "\x0a\xff\xff\xff\xff\x0f", "field packed"},
		"truncated packed varint":   {"p3.Lists", "\x0a\x02\x01\x80", "field packed"},
		"packed part of a varint":   {"p3.Lists", "\x0a\x02\x81\x82", "field packed"},
		"packed fixed of 7 bytes":   {"p3.Lists", "\x42\x07\x00\x00\x00\x00\x00\x00\x00", "field ds"},
		"end group":                 {"p3.Scalars", "\x0c", "group"},
		"end group of another":      {"p2.Groups", "\x0b\x14", "field one"},
		"unknown end group":         {"p3.Scalars", "\xa3\x06\xac\x06", "group"},
		"open group":                {"p2.Groups", "\x0b\x10\x01", "field one"},
		"invalid UTF-8":             {"p3.Scalars", "\x72\x01\xff", "field st: the string is not valid UTF-8"},
		"invalid UTF-8 in a list":   {"p3.Lists", "\x1a\x00\x1a\x01\xff", "field texts[1]"},
		"invalid UTF-8 in editions": {"ed.Mixed", "\x18\x00\x3a\x01\xff", "field strict"},
		"invalid UTF-8 in a key":    {"p3.Maps", "\x0a\x03\x0a\x01\xff", "field ss"},
		"nested":                    {"p3.Nest", "\x12\x00\x12\x02\x0a\x05", "field leaves[1].name"},
		"in a map":                  {"p3.Maps", "\x32\x07\x0a\x01k\x12\x02\x10\x80", `field sl["k"].n`},
		"in a group":                {"p2.Groups", "\x2b\x30\x80\x2c", "field many"},
		"a level too deep":          {"p3.Nest", string(nested(100)), "nested too deeply"},
		"10,000 deep":               {"p3.Nest", string(nested(10000)), "nested too deeply"},
		"unknown groups too deep":   {"p3.Nest", strings.Repeat("\xa3\x06", 101), "nested too deeply"},
		"a million open groups":     {"p3.Nest", strings.Repeat("\xa3\x06", 1e6), "nested too deeply"},
	} {
		err := unmarshal(t, c.message, []byte(c.wire))
		var e *structs.Error
		if !errors.Is(err, structs.ErrMalformed) || !errors.As(err, &e) || e.Message != c.message || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for name, c := range map[string]struct {
		message protoreflect.FullName
		wire    string
	}{
		"as deep as may be":          {"p3.Nest", string(nested(99))},
		"unknown groups":             {"p3.Nest", strings.Repeat("\xa3\x06", 99) + strings.Repeat("\xa4\x06", 99)},
		"wire type of another":       {"p3.Scalars", "\x0a\x00\x75\x00\x00\x00\x00"},
		"map key of wrong wire type": {"p3.Maps", "\x0a\x05\x0a\x01\x61\x08\x01"},
		"invalid UTF-8 in proto2":    {"p2.Text", "\x0a\x01\xff"},
		"invalid UTF-8 in editions":  {"ed.Mixed", "\x18\x00\x32\x01\xff"},
		"long varint of a bool":      {"p3.Scalars", "\x68\x80\x80\x01"},
		"padded tag":                 {"p3.Scalars", "\x88\x00\x01"},
		"tag of 5 bytes":             {"p3.Scalars", "\x88\x80\x80\x80\x00\x01"},
		"empty":                      {"p3.Scalars", ""},
	} {
		if err := unmarshal(t, c.message, []byte(c.wire)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unmarshal reads b into a struct for the message.
func unmarshal(t *testing.T, name protoreflect.FullName, b []byte) error {
	t.Helper()
	md := message(t, name)
	type leafText struct{ S string }
	switch name {
	case "p3.Scalars":
		return unmarshalAs[struct {
			I32, SF32 int32
			SF64      int64
			Bo        bool
			St        string
		}](md, b)
	case "p3.Lists":
		return unmarshalAs[struct {
			Packed []int32
			Texts  []string
			Ds     []float64
		}](md, b)
	case "p3.Maps":
		return unmarshalAs[struct {
			SS map[string]string
			IL map[int32]leaf
			SL map[string]leaf
		}](md, b)
	case "p3.Nest":
		return unmarshalAs[node](md, b)
	case "p3.Leaf":
		return unmarshalAs[leaf](md, b)
	case "p2.Text":
		return unmarshalAs[leafText](md, b)
	case "p2.Groups":
		return unmarshalAs[struct {
			One  struct{ N int32 }
			Many []struct{ N int32 }
		}](md, b)
	case "ed.Mixed":
		return unmarshalAs[struct {
			Loose, Strict string
			Child         *child
		}](md, b)
	}
	panic(name)
}

type child struct {
	N     int32
	Child *child
}

func unmarshalAs[T any](md protoreflect.MessageDescriptor, b []byte) error {
	return must(structs.Bind[T](md, structs.Options{})).Unmarshal(b, new(T))
}

// needy is a Required without most of its fields.
type needy struct {
	ID    *int32
	Next  *needy
	List  []needy
	Named map[string]*needy
	Left  *needy
	Right *int32
}

func TestRequired(t *testing.T) {
	md := message(t, "p2.Required")
	plan := must(structs.Bind[needy](md, structs.Options{}))
	for _, c := range []struct {
		texts string
		want  []string
	}{
		{`id:1 name:"x"`, nil},
		{``, []string{"id", "name"}},
		{`id:1`, []string{"name"}},
		{`id:1 | name:"x"`, nil},
		{`id:1 name:"x" next:{id:1} | next:{name:"x"}`, nil},
		{`id:1 name:"x" next:{id:1}`, []string{"next.name"}},
		{`id:1 name:"x" list:{id:1} | list:{name:"x"}`, []string{"list[0].name", "list[1].id"}},
		{`id:1 name:"x" named:{key:"k" value:{id:1}} | named:{key:"k" value:{id:2 name:"y"}}`, nil},
		{`id:1 name:"x" named:{key:"k" value:{id:2 name:"y"}} | named:{key:"k" value:{id:1}}`, []string{`named["k"].name`}},
		{`id:1 name:"x" left:{id:1} | right:5`, nil},
		{`id:1 name:"x" left:{id:1} | right:5 | left:{name:"y"}`, []string{"left.id"}},
	} {
		var wire []byte
		for _, text := range strings.Split(c.texts, "|") {
			wire = append(wire, wireOf(t, md, text)...)
		}
		err := plan.Unmarshal(wire, new(needy))
		var required *structs.RequiredError
		if errors.As(err, &required) != (c.want != nil) || required != nil && !slices.Equal(required.Paths, c.want) {
			t.Errorf("%s: got %v, want %v", c.texts, err, c.want)
		}
		if errors.Is(err, structs.ErrMalformed) || errors.Is(err, structs.ErrRequired) != (c.want != nil) {
			t.Errorf("%s: wrong kind: %v", c.texts, err)
		}
	}
}

// TestRequiredBelowLongKey has many messages below a long key of a map: the key must
// not be copied for each, nor be all of the error.
func TestRequiredBelowLongKey(t *testing.T) {
	plan := must(structs.Bind[needy](message(t, "p2.Required"), structs.Options{}))
	const complete = "\x08\x01\x12\x00"
	for name, leaf := range map[string]string{"complete": "\x22\x04" + complete, "lacking": "\x22\x00"} {
		t.Run(name, func(t *testing.T) {
			entry := protowire.AppendString([]byte("\x0a"), strings.Repeat("k", 100_000))
			entry = protowire.AppendString(append(entry, 0x12), complete+strings.Repeat(leaf, 5000))
			in := protowire.AppendBytes([]byte("\x2a"), entry)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := plan.Unmarshal(in, new(needy))
			runtime.ReadMemStats(&after)
			var required *structs.RequiredError
			if !errors.As(err, &required) || len(required.Paths) > 100 || len(err.Error()) > 20_000 {
				t.Errorf("%d bytes of error: %.200v", len(err.Error()), err)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 20<<20 {
				t.Errorf("%d bytes of input take %d", len(in), n)
			}
		})
	}
}

func TestRequiredOnEncode(t *testing.T) {
	md := message(t, "p2.Required")
	plan := must(structs.Bind[needy](md, structs.Options{}))
	one := ptr(int32(1))
	v := needy{Next: &needy{ID: one, List: []needy{{ID: one}, {}}}, Named: map[string]*needy{"k": {}}}
	want := []string{"id", "named[\"k\"].id", "next.list[1].id"}
	for range 2 {
		_, err := plan.Append(nil, &v)
		var required *structs.RequiredError
		if !errors.As(err, &required) || !slices.Equal(required.Paths, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	type plain struct {
		ID   int32
		Name string
		Next *plain
	}
	out := must(must(structs.Bind[plain](md, structs.Options{})).Append(nil, &plain{}))
	checkSame(t, md, out, wireOf(t, md, `id:0 name:""`))
}

func TestUnencodable(t *testing.T) {
	check := func(name, want string, err error) {
		t.Helper()
		if !errors.Is(err, structs.ErrUnencodable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	type wide struct {
		I32, S32 int64
		SF32     int64
		U32      uint64
		F32      uint64
		Fl       float64
		St       string
		Color    string
	}
	for name, c := range map[string]struct {
		v    wide
		want string
	}{
		"int32":    {wide{I32: math.MaxInt32 + 1}, "field i32: 2147483648 is out of the range of int32"},
		"sint32":   {wide{S32: math.MinInt32 - 1}, "field s32"},
		"sfixed32": {wide{SF32: math.MaxInt32 + 1}, "field sf32"},
		"uint32":   {wide{U32: math.MaxUint32 + 1}, "field u32"},
		"fixed32":  {wide{F32: math.MaxUint32 + 1}, "field f32"},
		"float":    {wide{Fl: math.MaxFloat64}, "field fl"},
		"UTF-8":    {wide{St: "\xff"}, "field st: the string is not valid UTF-8"},
		"enum":     {wide{Color: "GREEN"}, `field color: the enum has no value "GREEN"`},
	} {
		_, err := must(structs.Bind[wide](message(t, "p3.Scalars"), structs.Options{})).Append(nil, &c.v)
		check(name, c.want, err)
	}
	type oneOf struct {
		Name   *string
		Number *int32
		Raw    []byte
	}
	_, err := must(structs.Bind[oneOf](message(t, "p3.OneOf"), structs.Options{})).Append(nil, &oneOf{Name: ptr(""), Raw: []byte{}})
	check("oneof", "name and raw are both set, members of the oneof choice", err)
	nodes := must(structs.Bind[node](message(t, "p3.Nest"), structs.Options{}))
	loop := &node{}
	loop.Next = loop
	_, err = nodes.Append(nil, loop)
	check("cycle", "nested too deeply", err)
	_, err = nodes.Append(nil, &node{Leaves: []*leaf{{}, nil}})
	check("nil element", "field leaves[1]: the element is nil", err)
	_, err = nodes.Append(nil, &node{Named: map[string]*node{"k": nil}})
	check("nil value", `field named["k"]: the value is nil`, err)
	_, err = nodes.Append(nil, &node{Kids: []node{{}, {Leaf: leaf{Name: "\xff"}}}})
	check("nested", "field kids[1].leaf.name", err)
	out, err := nodes.Append([]byte("kept"), loop)
	if err == nil || string(out) != "kept" {
		t.Errorf("got %q, %v", out, err)
	}
	must(nodes.Append(nil, &node{Named: map[string]*node{"k": {}}}))
}
