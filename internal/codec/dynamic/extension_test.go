package dynamic_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/schematest"
)

// TestUnsetExtensions reads extensions that a message does not have.
func TestUnsetExtensions(t *testing.T) {
	types := new(dynamic.Types)
	typ := types.Message(message(t, "p2.Extendable"))
	for _, name := range []protoreflect.FullName{
		"p2.x_int", "p2.x_text", "p2.x_raw", "p2.x_note", "p2.x_grade", "p2.x_ints", "p2.x_texts", "p2.x_milds", "p2.xgroup", "p2.xgroups", "p2.x_raws",
	} {
		t.Run(string(name), func(t *testing.T) {
			d, _ := schematest.Find(t, testSchema, name)
			xd := d.(protoreflect.ExtensionDescriptor)
			xt := types.Extension(xd)
			for _, m := range []protoreflect.Message{typ.New(), typ.Zero()} {
				if proto.HasExtension(m.Interface(), xt) {
					t.Error("it is set")
				}
				v := proto.GetExtension(m.Interface(), xt)
				if !xt.IsValidInterface(v) || !xt.IsValidValue(xt.Zero()) {
					t.Errorf("%T is not valid", v)
				}
				proto.ClearExtension(m.Interface(), xt)
			}
			if xt.IsValidInterface(struct{}{}) || xt.IsValidValue(protoreflect.Value{}) {
				t.Error("what is no value is valid")
			}
			if xd.IsList() || xd.Message() != nil {
				shouldPanic(t, func() { typ.New().Set(xt.TypeDescriptor(), xt.Zero()) })
			}
		})
	}
}

func shouldPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}
