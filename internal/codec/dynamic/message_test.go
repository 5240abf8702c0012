package dynamic_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/prototest"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// extensionsOf resolves the dynamic extensions of the test schemas.
type extensionsOf struct{ types *dynamic.Types }

func (e extensionsOf) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	d, _ := testSchema.Find(name)
	if xd, ok := d.(protoreflect.ExtensionDescriptor); ok {
		return e.types.Extension(xd), nil
	}
	return nil, protoregistry.NotFound
}

func (e extensionsOf) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (found protoreflect.ExtensionType, err error) {
	err = protoregistry.NotFound
	e.RangeExtensionsByMessage(message, func(xt protoreflect.ExtensionType) bool {
		if xt.TypeDescriptor().Number() == number {
			found, err = xt, nil
		}
		return found == nil
	})
	return found, err
}

func (e extensionsOf) RangeExtensionsByMessage(message protoreflect.FullName, visit func(protoreflect.ExtensionType) bool) {
	for _, f := range testSchema.Files() {
		extensions := f.Descriptor().Extensions()
		for i := range extensions.Len() {
			if xd := extensions.Get(i); xd.ContainingMessage().FullName() == message && !visit(e.types.Extension(xd)) {
				return
			}
		}
	}
}

// TestReflection runs protobuf's own tests of implementations of messages.
func TestReflection(t *testing.T) {
	types := new(dynamic.Types)
	eachMessage(func(md protoreflect.MessageDescriptor) {
		t.Run(string(md.FullName()), func(t *testing.T) {
			prototest.Message{Resolver: extensionsOf{types}}.Test(t, types.Message(md))
		})
	})
}
