package dynamic

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// extension reads the value from i to end of what may be an extension. It returns
// false if it is not an extension.
func (d *decoder) extension(m *Message, tag uint64, i, end int) (bool, *wire.Error) {
	num := protoreflect.FieldNumber(tag >> 3)
	if !m.typ.md.ExtensionRanges().Has(num) {
		return false, nil
	}
	xt, err := d.resolver.FindExtensionByNumber(m.typ.md.FullName(), num)
	if err != nil {
		if errors.Is(err, protoregistry.NotFound) {
			return false, nil
		}
		return false, wire.NewMalformed(err.Error())
	}
	x, isOurs := xt.(*ExtensionType)
	if !isOurs {
		x = new(ExtensionType) // to read the value with
		x.f.init(new(Types), xt.TypeDescriptor())
	}
	known, fault := d.extensionValue(m, xt, &x.f, protowire.Type(tag&7), i, end)
	if fault != nil {
		return true, fault.In("[" + string(xt.TypeDescriptor().FullName()) + "]")
	}
	return known, nil
}

func (d *decoder) extensionValue(m *Message, xt protoreflect.ExtensionType, f *field, typ protowire.Type, i, end int) (bool, *wire.Error) {
	xd := xt.TypeDescriptor()
	isPacked := f.shape == repeated && f.class == number && typ == protowire.BytesType
	if typ != f.wire && !isPacked {
		return false, nil
	}
	v := protoreflect.Value{}
	if x := m.extension(xd); x != nil {
		v = x.value
	} else if f.shape == repeated || f.class == message {
		v = xt.New()
	}
	switch {
	case isPacked:
		_, i = wire.Length(d.in[:end], i)
		for i < end {
			var one scalar
			next, known, err := d.scalar(f, &one, i, end)
			if err != nil {
				return true, err
			}
			if i = next; known {
				v.List().Append(f.boxNumber(one.number))
			} else {
				d.keepNumber(m, f, one.number)
			}
		}
	case f.class == message && f.shape == repeated:
		sub := v.List().NewElement()
		if err := d.extensionMessage(sub.Message(), f, i, end); err != nil {
			return true, err.Elem(v.List().Len())
		}
		v.List().Append(sub)
	case f.class == message:
		if err := d.extensionMessage(v.Message(), f, i, end); err != nil {
			return true, err
		}
	default:
		var one scalar
		_, known, err := d.scalar(f, &one, i, end)
		if err != nil || !known {
			return known, err
		}
		if f.shape == repeated {
			v.List().Append(f.box(one))
		} else {
			v = f.box(one)
		}
	}
	m.putExtension(xd, v)
	return true, nil
}

// box returns a value that is not a message.
func (f *field) box(v scalar) protoreflect.Value {
	switch f.class {
	case number:
		return f.boxNumber(v.number)
	case text:
		return protoreflect.ValueOfString(v.text)
	}
	return protoreflect.ValueOfBytes(v.blob)
}

// extensionMessage reads a message, of this package or another, from i to end.
func (d *decoder) extensionMessage(m protoreflect.Message, f *field, i, end int) *wire.Error {
	endTag := uint64(0)
	if f.group {
		endTag = f.tag + 1
	} else {
		_, i = wire.Length(d.in[:end], i)
	}
	if m, ok := m.(*Message); ok {
		d.left -= m.typ.size()
		_, err := d.message(m, i, end, endTag)
		return err
	}
	if f.group { // its content alone
		body, _, err := wire.SkipGroup(d.in[:end], i, f.tag>>3, d.depth)
		if err != nil {
			return err
		}
		end = body
	}
	d.foreign = true
	opts := proto.UnmarshalOptions{
		Merge: true, AllowPartial: true, DiscardUnknown: d.discard, Resolver: d.resolver, RecursionLimit: max(d.depth, 1),
	}
	if err := opts.Unmarshal(d.in[i:end], m.Interface()); err != nil {
		return wire.NewMalformed(err.Error())
	}
	return nil
}
