package describe_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/describe"
	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/schematest"
)

// TestExampleIsGood reads the example of every message, those of imports included.
func TestExampleIsGood(t *testing.T) {
	tested := 0
	for _, f := range testSchema.Files() {
		eachMessage(f.Descriptor(), map[string]bool{}, func(md protoreflect.MessageDescriptor) {
			tested++
			checkExample(t, md, f.Types())
		})
	}
	if tested < 200 {
		t.Errorf("only %d messages", tested)
	}
}

func checkExample(t *testing.T, md protoreflect.MessageDescriptor, types codec.Types) []byte {
	t.Helper()
	example, err := describe.Example(md, types)
	if err != nil {
		t.Error(err)
		return nil
	}
	m := dynamicpb.NewMessage(md)
	if err := jsonmsg.Decode(example, m, types); err != nil {
		t.Errorf("%s: %v\n%s", md.FullName(), err, example)
	}
	if lines := bytes.Count(example, []byte("\n")); lines > 8000 {
		t.Errorf("%s has %d lines", md.FullName(), lines)
	}
	return example
}

// eachMessage visits the messages of a file and of what it imports.
func eachMessage(fd protoreflect.FileDescriptor, seen map[string]bool, visit func(protoreflect.MessageDescriptor)) {
	if seen[fd.Path()] {
		return
	}
	seen[fd.Path()] = true
	var nested func(list protoreflect.MessageDescriptors)
	nested = func(list protoreflect.MessageDescriptors) {
		for i := range list.Len() {
			if !list.Get(i).IsMapEntry() {
				visit(list.Get(i))
			}
			nested(list.Get(i).Messages())
		}
	}
	nested(fd.Messages())
	for i := range fd.Imports().Len() {
		eachMessage(fd.Imports().Get(i).FileDescriptor, seen, visit)
	}
}

func TestExample(t *testing.T) {
	for name, want := range map[protoreflect.FullName]string{
		"tutorial.HelloRequest": `{"name": "name"}`,
		"e23.Empty":             `{}`,
		"three.sub.Kinds": `{
			"i32": 1, "s32": 1, "sf32": 1, "i64": "1", "s64": "1", "sf64": "1", "u32": 1, "f32": 1, "u64": "1", "f64": "1", "fl": 1.5, "db": 1.5,
			"bo": true, "st": "st", "by": "Ynk=", "color": "COLOR_RED", "colors": ["COLOR_RED"],
			"mi": {"1": "bWk="}, "mb": {"true": "COLOR_RED"},
			"ms": {"key": {
				"i32": 1, "s32": 1, "sf32": 1, "i64": "1", "s64": "1", "sf64": "1", "u32": 1, "f32": 1, "u64": "1", "f64": "1", "fl": 1.5, "db": 1.5,
				"bo": true, "st": "st", "by": "Ynk=", "color": "COLOR_RED", "colors": ["COLOR_RED"],
				"mi": {"1": "bWk="}, "mb": {"true": "COLOR_RED"}, "mu": {"1": 1.5}}},
			"mu": {"1": 1.5}}`,
		"three.sub.Known": `{
			"any": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "text"},
			"at": "2006-01-02T15:04:05Z", "took": "1.5s", "mask": "name,address.city", "fields": {"key": "value"}, "value": "value", "list": ["value"],
			"empty": {}, "nothing": null, "nothings": [null], "values": ["value"], "times": {"key": "2006-01-02T15:04:05Z"},
			"d": 1.5, "f": 1.5, "i64": "1", "u64": "1", "i32": 1, "u32": 1, "b": true, "s": "s", "by": "Ynk="}`,
		"three.sub.Tree": `{"label": "label", "left": {"label": "label"}, "right": {"label": "label"}, "more": [{"label": "label"}]}`,
		"two.Back":       `{"forth": {"back": {"forth": {"other": "other"}}, "other": "other"}}`,
		"two.M.Inner":    `{"x": 1}`,
		"two.M": `{
			"name": "name", "raw": "cmF3", "d": 1.5, "f": 1.5, "g": 1.5, "e": "B", "packed": [1],
			"children": {"key": {
				"name": "name", "raw": "cmF3", "d": 1.5, "f": 1.5, "g": 1.5, "e": "B", "packed": [1], "kinds": {"1": "B"}, "inner": {"x": 1},
				"two": {"y": true}, "o-d-d": "o-d-d", "like_extension": "like_extension"}},
			"kinds": {"1": "B"}, "inner": {"x": 1},
			"self": {
				"name": "name", "raw": "cmF3", "d": 1.5, "f": 1.5, "g": 1.5, "e": "B", "packed": [1], "kinds": {"1": "B"}, "inner": {"x": 1},
				"two": {"y": true}, "o-d-d": "o-d-d", "like_extension": "like_extension"},
			"o-d-d": "o-d-d", "like_extension": "like_extension"}`,
	} {
		d, f := schematest.Find(t, testSchema, name)
		got := checkExample(t, d.(protoreflect.MessageDescriptor), f.Types())
		if diff := cmp.Diff(strings.Join(strings.Fields(want), ""), strings.Join(strings.Fields(string(got)), "")); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, got)
		}
	}
}

func TestExampleIsIndented(t *testing.T) {
	d, f := schematest.Find(t, testSchema, "Rectangle")
	got, err := describe.Example(d.(protoreflect.MessageDescriptor), f.Types())
	want := "{\n  \"lo\": {\n    \"latitude\": 1,\n    \"longitude\": 1\n  },\n  \"hi\": {\n    \"latitude\": 1,\n    \"longitude\": 1\n  }\n}"
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestExampleOfHuge bounds what would be endless.
func TestExampleOfHuge(t *testing.T) {
	var wide, tall strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&wide, "int32 f%d = %d;\n", i, i+1)
	}
	tall.WriteString("message T0 { string s = 1; }\n")
	for i := range 20 {
		fmt.Fprintf(&tall, "message T%d { T%d a = 1; T%d b = 2; T%d c = 3; repeated T%d d = 4; }\n", i+1, i, i, i, i)
	}
	huge := schematest.Compile(map[string]string{
		"huge.proto": "syntax = \"proto3\"; package huge; message Wide { " + wide.String() + "}\n" + tall.String(),
		"bad.proto": `syntax = "proto2"; package bad;
			message Self { required Self self = 1; }
			message A1 { required string s = 1; }` + requiring(20),
	})
	messages := huge.File("huge.proto").Descriptor().Messages()
	for i := range messages.Len() {
		got := checkExample(t, messages.Get(i), huge.File("huge.proto").Types())
		if name := messages.Get(i).Name(); name == "T20" && bytes.Count(got, []byte("\n")) < 500 {
			t.Errorf("%s shows too little:\n%s", name, got)
		}
	}
	for name, want := range map[protoreflect.Name]string{
		"Self": "cannot make an example of bad.Self: bad.Self requires itself",
		"A20":  "cannot make an example of bad.A20: it has too many required fields",
	} {
		bad := huge.File("bad.proto")
		if _, err := describe.Example(bad.Descriptor().Messages().ByName(name), bad.Types()); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// requiring declares messages that require twice the one before.
func requiring(n int) string {
	var b strings.Builder
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&b, "message A%d { required A%d a = 1; required A%d b = 2; }\n", i, i-1, i-1)
	}
	return b.String()
}

// TestExampleNames sets fields whose JSON names say something else.
func TestExampleNames(t *testing.T) {
	field := func(number int32, name, json string) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), JsonName: proto.String(json), Number: proto.Int32(number),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum(),
		}
	}
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("x.proto"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{
			field(1, "a", "b"), field(2, "b", "c"), field(3, "escape", "\x1b[2J"), field(4, "utf8", "\xff"), field(5, "x", "y"), field(6, "z", "<&>"),
		}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := checkExample(t, fd.Messages().Get(0), protoregistry.GlobalTypes)
	want := `{"b":1,"c":1,"escape":1,"utf8":1,"y":1,"\u003c\u0026\u003e":1}`
	if strings.Join(strings.Fields(string(got)), "") != want {
		t.Errorf("got %s", got)
	}
}

// TestExampleRedefined has a well-known type that is none.
func TestExampleRedefined(t *testing.T) {
	odd := schematest.Compile(map[string]string{
		"odd.proto": `syntax = "proto3"; package google.protobuf; message Int32Value {} message Any { Int32Value v = 1; }`,
	}).File("odd.proto")
	if _, err := describe.Example(odd.Descriptor().Messages().ByName("Int32Value"), odd.Types()); err == nil {
		t.Error("no error")
	}
}
