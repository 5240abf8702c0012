package structs

import (
	"reflect"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// bindField chooses how fd is read into a Go field of type t at the offset. It
// returns false when t cannot hold it.
func (b *binder) bindField(pl *plan, f *field, fd protoreflect.FieldDescriptor, t reflect.Type, offset uintptr) bool {
	f.name, f.off, f.goType, f.owner = string(fd.Name()), offset, t, pl
	f.utf8 = wire.EnforcesUTF8(fd)
	f.required = fd.Cardinality() == protoreflect.Required
	f.always, f.present = f.required, fd.HasPresence()
	if inOneof(fd) {
		f.oneof = string(fd.ContainingOneof().Name())
	}
	f.setTag(fd)
	switch {
	case fd.IsMap():
		return b.bindMap(f, fd)
	case fd.IsList():
		return b.bindList(f, fd)
	case fd.Message() != nil:
		return b.bindMessage(f, fd)
	}
	return b.bindScalar(f, fd)
}

// setTag fills in the tag and the wire type of one element.
func (f *field) setTag(fd protoreflect.FieldDescriptor) {
	f.wire = wire.TypeOf(fd.Kind())
	f.group = fd.Kind() == protoreflect.GroupKind
	typ := f.wire
	if fd.IsPacked() {
		f.packed, typ = true, protowire.BytesType
	}
	f.tag = protowire.EncodeTag(fd.Number(), typ)
	f.tagLen = uint8(protowire.SizeVarint(f.tag))
}

// bindScalar binds a singular field that is not a message.
func (b *binder) bindScalar(f *field, fd protoreflect.FieldDescriptor) bool {
	if f.goType.Kind() == reflect.Pointer {
		if !f.bindElem(fd, f.goType.Elem()) {
			return false
		}
		f.pointer = true
		if f.elemBits != nil {
			f.decodeBits = decodePointerBits
		} else {
			f.decodeBytes = decodePointerBytes
		}
		f.encode = encodePointer
		return true
	}
	if !f.bindElem(fd, f.goType) || f.oneof != "" && f.goType.Kind() != reflect.Slice {
		return false
	}
	f.decodeBits, f.decodeBytes = f.elemBits, f.elemBytes
	switch {
	case f.goType.Kind() == reflect.Slice:
		f.encode = encodePlainBytes
	case f.enum != nil && f.goType.Kind() == reflect.String:
		f.encode = encodePlainName
	case f.goType.Kind() == reflect.String:
		f.encode, f.text = encodePlainString, true
	default:
		f.encode = encodePlain
	}
	if f.goType.Kind() != reflect.Slice {
		f.plain = true
		f.setDefault(fd)
	}
	return true
}

// bindMessage binds a singular message field.
func (b *binder) bindMessage(f *field, fd protoreflect.FieldDescriptor) bool {
	if t := f.goType; t.Kind() == reflect.Pointer {
		if !b.bindSub(f, fd, t.Elem()) {
			return false
		}
		f.pointer = true
		f.decodeBytes, f.encode = decodeMessagePointer, encodeMessagePointer
		return true
	}
	if isMessage(f.goType) || !b.bindSub(f, fd, f.goType) {
		return false
	}
	if f.oneof != "" && (!f.nilable || f.goType.Kind() == reflect.Interface) {
		return false
	}
	f.plain = !f.nilable
	f.decodeBytes, f.encode = decodeMessage, encodeMessage
	if f.nilable {
		f.decodeBytes = decodeNilable
	}
	return true
}

// bindSub binds the message of a field, or of one element of it, to t.
func (b *binder) bindSub(f *field, fd protoreflect.FieldDescriptor, t reflect.Type) bool {
	f.sub = b.plan(t, fd.Message())
	f.elemType = t
	f.nilable = t.Kind() == reflect.Map || t.Kind() == reflect.Slice || t.Kind() == reflect.Interface
	return f.sub != nil
}

// bindList binds a repeated field.
func (b *binder) bindList(f *field, fd protoreflect.FieldDescriptor) bool {
	if f.goType.Kind() != reflect.Slice {
		return false
	}
	t := f.goType.Elem()
	if fd.Message() != nil {
		f.counted = true
		if t.Kind() == reflect.Pointer {
			f.decodeBytes, f.encode = decodeMessagePointers, encodeMessagePointers
			return b.bindSub(f, fd, t.Elem())
		}
		f.decodeBytes, f.encode = decodeMessages, encodeMessages
		return !isMessage(t) && b.bindSub(f, fd, t)
	}
	if !f.bindElem(fd, t) {
		return false
	}
	f.encode = encodeList
	switch {
	case f.elemBits != nil:
		f.decodeBits, f.decodeBytes = f.listBits(), decodePacked
		if f.enum != nil {
			f.decodeBytes = decodePackedEnum
		}
		if f.packed {
			f.encode = encodePacked
		}
	case t.Kind() == reflect.String:
		f.counted = true
		f.decodeBytes, f.encode = decodeStrings, encodeStrings
	default:
		f.counted = true
		f.decodeBytes = decodeBytesList
	}
	return true
}

func (f *field) listBits() func(*decoder, *field, unsafe.Pointer, uint64) bool {
	switch {
	case f.elemType.Kind() == reflect.String:
		return decodeListName
	case f.elem == 1:
		return decodeList1
	case f.elem == 4:
		return decodeList4
	}
	return decodeList8
}

// bindMap binds a map field. Its entries are read and written as messages of a
// struct with the key and the value.
func (b *binder) bindMap(f *field, fd protoreflect.FieldDescriptor) bool {
	if f.goType.Kind() != reflect.Map || f.goType.Key().Kind() == reflect.Pointer {
		return false
	}
	value := f.goType.Elem()
	if value.Kind() == reflect.Pointer && fd.MapValue().Message() == nil {
		return false
	}
	t := reflect.StructOf([]reflect.StructField{
		{Name: "Key", Type: f.goType.Key()},
		{Name: "Value", Type: value},
	})
	pl := b.newPlan(t, fd.Message())
	pl.fields = make([]field, 2)
	key, val := &pl.fields[0], &pl.fields[1]
	if !b.bindField(pl, key, fd.MapKey(), t.Field(0).Type, t.Field(0).Offset) ||
		!b.bindField(pl, val, fd.MapValue(), t.Field(1).Type, t.Field(1).Offset) {
		return false
	}
	for _, part := range []*field{key, val} {
		part.name, part.always, part.present = "", true, true
	}
	if val.enum != nil && val.enum.closed {
		val.decodeBits = decodeClosedValue
	}
	pl.buildTables()
	f.sub, f.maps, f.counted, f.scratch = pl, opsOf(f.goType), true, b.maps
	b.maps++
	f.decodeBytes, f.encode = decodeMap, encodeMap
	return true
}
