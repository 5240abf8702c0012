package structs

import (
	"math"
	"reflect"
	"time"
	"unsafe"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// numberForm is how a number is read and written in one Go type.
type numberForm struct {
	conv conv
	load load
}

// numberForms has the forms of each kind of number: for a Go type of its own size,
// and for a wider one.
var numberForms = map[protoreflect.Kind]struct{ exact, wide numberForm }{
	protoreflect.EnumKind:     {numberForm{convRaw, load4Signed}, numberForm{convSigned, load8Signed32}},
	protoreflect.Int32Kind:    {numberForm{convRaw, load4Signed}, numberForm{convSigned, load8Signed32}},
	protoreflect.Sint32Kind:   {numberForm{convZigZag32, load4ZigZag}, numberForm{convZigZag32, load8ZigZag32}},
	protoreflect.Sfixed32Kind: {numberForm{convRaw, load4}, numberForm{convSigned, load8Cut32}},
	protoreflect.Uint32Kind:   {numberForm{convRaw, load4}, numberForm{convUnsigned, load8Unsigned}},
	protoreflect.Fixed32Kind:  {numberForm{convRaw, load4}, numberForm{convUnsigned, load8Unsigned}},
	protoreflect.FloatKind:    {numberForm{convRaw, load4}, numberForm{convFloat, load8Float}},
	protoreflect.Int64Kind:    {exact: numberForm{convRaw, load8}},
	protoreflect.Sint64Kind:   {exact: numberForm{convZigZag64, load8ZigZag}},
	protoreflect.Sfixed64Kind: {exact: numberForm{convRaw, load8}},
	protoreflect.Uint64Kind:   {exact: numberForm{convRaw, load8}},
	protoreflect.Fixed64Kind:  {exact: numberForm{convRaw, load8}},
	protoreflect.DoubleKind:   {exact: numberForm{convRaw, load8}},
	protoreflect.BoolKind:     {exact: numberForm{convBool, load1}},
}

// family groups the kinds of Go types that hold the same sort of number.
func family(k reflect.Kind) string {
	switch k {
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return "uint"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.Bool:
		return "bool"
	}
	return ""
}

// numberTypes has the narrowest Go type of each kind of number.
var numberTypes = map[protoreflect.Kind]reflect.Type{
	protoreflect.EnumKind:     reflect.TypeFor[int32](),
	protoreflect.Int32Kind:    reflect.TypeFor[int32](),
	protoreflect.Sint32Kind:   reflect.TypeFor[int32](),
	protoreflect.Sfixed32Kind: reflect.TypeFor[int32](),
	protoreflect.Uint32Kind:   reflect.TypeFor[uint32](),
	protoreflect.Fixed32Kind:  reflect.TypeFor[uint32](),
	protoreflect.FloatKind:    reflect.TypeFor[float32](),
	protoreflect.Int64Kind:    reflect.TypeFor[int64](),
	protoreflect.Sint64Kind:   reflect.TypeFor[int64](),
	protoreflect.Sfixed64Kind: reflect.TypeFor[int64](),
	protoreflect.Uint64Kind:   reflect.TypeFor[uint64](),
	protoreflect.Fixed64Kind:  reflect.TypeFor[uint64](),
	protoreflect.DoubleKind:   reflect.TypeFor[float64](),
	protoreflect.BoolKind:     reflect.TypeFor[bool](),
}

// bindElem chooses how one value of fd, which is not a message, is read into a Go
// value of type t. It returns false if t cannot hold it.
func (f *field) bindElem(fd protoreflect.FieldDescriptor, t reflect.Type) bool {
	f.elemType = t
	isBytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	switch kind := fd.Kind(); {
	case kind == protoreflect.StringKind && t.Kind() == reflect.String:
		f.elemBytes, f.elemEncode = decodeString, encodeString
		return true
	case (kind == protoreflect.StringKind || kind == protoreflect.BytesKind) && isBytes:
		f.elemBytes, f.elemEncode = decodeBytes, encodeBytes
		return true
	case kind == protoreflect.EnumKind:
		en := newEnum(fd.Enum())
		if t.Kind() == reflect.String {
			f.enum, f.elemBits, f.elemEncode = en, decodeName, encodeName
			return true
		}
		if !f.bindNumber(kind, t) {
			return false
		}
		if en.closed {
			f.enum, f.elemBits = en, decodeClosed
		}
		return true
	}
	return f.bindNumber(fd.Kind(), t)
}

func (f *field) bindNumber(kind protoreflect.Kind, t reflect.Type) bool {
	narrowest, ok := numberTypes[kind]
	if !ok || family(t.Kind()) == "" || family(t.Kind()) != family(narrowest.Kind()) || t.Size() < narrowest.Size() {
		return false
	}
	form := numberForms[kind].exact
	if t.Size() > narrowest.Size() {
		form = numberForms[kind].wide
	}
	f.conv, f.load, f.elem = form.conv, form.load, uint8(t.Size())
	f.elemEncode = encodeScalar
	switch f.elem {
	case 1:
		f.elemBits = decode1
	case 4:
		f.elemBits = decode4
	default:
		f.elemBits = decode8
	}
	return true
}

// setDefault sets the value that an absent field reads as, if it is a plain value.
func (f *field) setDefault(fd protoreflect.FieldDescriptor) {
	if f.required {
		return
	}
	v := fd.Default()
	switch {
	case f.elemType.Kind() == reflect.String && f.enum == nil:
		f.defText = v.String()
		return
	case f.elemType.Kind() == reflect.String:
		f.def = uint64(int32(v.Enum()))
		f.defText = f.enum.names[int32(v.Enum())]
		return
	}
	// Reading the default gives the Go value, and writing that gives the bits
	// that a value is compared with.
	var value uint64
	p := unsafe.Pointer(&value)
	f.defWire = defaultBits(fd.Kind(), v)
	f.elemBits(nil, f, p, f.defWire)
	f.def, _ = f.load.from(p)
}

func defaultBits(kind protoreflect.Kind, v protoreflect.Value) uint64 {
	switch x := v.Interface().(type) {
	case bool:
		if x {
			return 1
		}
		return 0
	case protoreflect.EnumNumber:
		return uint64(int64(x))
	case int32:
		if kind == protoreflect.Sint32Kind {
			return zigZag32(x)
		}
		return uint64(int64(x))
	case int64:
		if kind == protoreflect.Sint64Kind {
			return uint64(x<<1) ^ uint64(x>>63)
		}
		return uint64(x)
	case uint32:
		return uint64(x)
	case uint64:
		return x
	case float32:
		return uint64(math.Float32bits(x))
	case float64:
		return math.Float64bits(x)
	}
	return 0
}

// hasInit reports whether a plain value is not zero in an empty message.
func (f *field) hasInit() bool {
	return f.plain && f.sub == nil && (f.defWire != 0 || f.defText != "")
}

// initialise sets the default.
func (f *field) initialise(p unsafe.Pointer) {
	if f.elemType.Kind() == reflect.String {
		*(*string)(p) = f.defText
		return
	}
	f.elemBits(nil, f, p, f.defWire)
}

var messageType = reflect.TypeFor[proto.Message]()

// isMessage reports whether t is the struct of a generated message.
func isMessage(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(messageType)
}

// leafFor returns the leaf that reads md into t, if t is not read field by field.
func (b *binder) leafFor(t reflect.Type, md protoreflect.MessageDescriptor) (leaf, bool) {
	switch kind := wellknown.Of(md.FullName()).Kind; {
	case kind == wellknown.Timestamp && t == reflect.TypeFor[time.Time]():
		return timeLeaf{}, true
	case kind == wellknown.Duration && t == reflect.TypeFor[time.Duration]():
		return durationLeaf{}, true
	case kind == wellknown.Value && t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return &valueLeaf{}, true
	case isMessage(t):
		m := reflect.New(t).Interface().(proto.Message).ProtoReflect()
		if d := m.Descriptor(); d != nil && d.FullName() == md.FullName() {
			return generatedLeaf{t}, true
		}
	}
	return nil, false
}

// bindValue compiles the plans that are nested in a Value.
func (b *binder) bindValue(v *valueLeaf, md protoreflect.MessageDescriptor) {
	fields := md.Fields()
	v.fields = b.plan(reflect.TypeFor[map[string]any](), fields.ByName("struct_value").Message())
	v.items = b.plan(reflect.TypeFor[[]any](), fields.ByName("list_value").Message())
}
