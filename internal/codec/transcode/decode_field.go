package transcode

import (
	"fmt"
	"math/bits"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fieldValue reads the value of a field of p.
func (d *decoder) fieldValue(p *Plan, f *field, base int) *Error {
	if f.index >= 0 && d.mark(base, f.index) {
		return d.setTwice(f)
	}
	if d.space() == 'n' && !f.isValue && !f.isNull {
		if !d.literal("null") {
			return d.unexpected("a value")
		}
		d.unset(f)
		return nil
	}
	switch {
	case f.keyField != nil:
		return d.mapField(f)
	case f.list:
		return d.listField(f)
	case f.oneof >= 0 && d.mark(base, f.oneof):
		return d.setOneof(p, f, base)
	}
	before := len(d.out)
	if err := d.singular(f); err != nil {
		return err
	}
	if f.required && len(d.out) == before { // an unknown name of an enum
		d.unset(f)
	}
	return nil
}

// unset handles a field that has a key but no value.
func (d *decoder) unset(f *field) {
	if f.required && !d.opts.AllowPartial {
		d.missing = append(d.missing, nil) // the caller adds its name
	}
}

func (d *decoder) setTwice(f *field) *Error {
	problem := "the field is set twice"
	if f.jsonKey != f.protoKey {
		problem += fmt.Sprintf(": %q and %q are the same field", f.name, f.desc.TextName())
	}
	return &Error{Problem: problem, offset: d.pos}
}

func (d *decoder) setOneof(p *Plan, f *field, base int) *Error {
	var others []string
	for _, other := range p.fields {
		if other.oneof == f.oneof && other != f && d.isMarked(base, other.index) {
			others = append(others, other.name)
		}
	}
	problem := fmt.Sprintf("only one field of the oneof %s can be set", f.desc.ContainingOneof().FullName())
	if len(others) == 1 { // others may be null
		problem += fmt.Sprintf(", and %q already is", others[0])
	}
	return &Error{Problem: problem, offset: d.pos}
}

// checkRequired records the required fields without a key in a message.
func (d *decoder) checkRequired(p *Plan, base int) {
	for _, f := range p.required {
		if !d.isMarked(base, f.index) {
			d.missing = append(d.missing, []Step{{Key: f.name, Index: -1}})
		}
	}
}

// singular reads a field that is neither a list nor a map.
func (d *decoder) singular(f *field) *Error {
	if f.message != nil {
		return d.messageField(f)
	}
	before := len(d.out)
	d.out = appendVarint(d.out, f.tag)
	value := len(d.out)
	ok, err := d.scalar(f)
	if err != nil {
		return err
	}
	if !ok || !f.presence && !d.zeros && isZero(d.out[value:]) {
		d.out = d.out[:before]
	}
	return nil
}

// isZero reports whether an encoded value is its type's zero value.
func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// messageField reads a message and appends it as a field.
func (d *decoder) messageField(f *field) *Error {
	d.out = appendVarint(d.out, f.tag)
	if f.kind == protoreflect.GroupKind {
		if err := d.message(f.message.get()); err != nil {
			return err
		}
		d.out = appendVarint(d.out, f.tag+1)
		return nil
	}
	start := d.open()
	if err := d.message(f.message.get()); err != nil {
		return err
	}
	d.close(start)
	return nil
}

// open reserves space for the length of the following bytes.
func (d *decoder) open() (start int) {
	d.out = append(d.out, 0)
	return len(d.out)
}

// close writes the length of the bytes appended since open returned start.
func (d *decoder) close(start int) {
	n := len(d.out) - start
	if n < 0x80 {
		d.out[start-1] = byte(n)
		return
	}
	extra := (bits.Len(uint(n))+6)/7 - 1
	for range extra {
		d.out = append(d.out, 0)
	}
	copy(d.out[start+extra:], d.out[start:start+n])
	appendVarint(d.out[:start-1], uint64(n))
}

// listField reads an array and appends its elements.
func (d *decoder) listField(f *field) *Error {
	if d.space() != '[' {
		return d.mismatch(d.pos, wantedList(f))
	}
	d.pos++
	packed := 0
	if f.packed != 0 {
		d.out = appendVarint(d.out, f.packed)
		packed = d.open()
	}
	for i := 0; ; i++ {
		more, err := d.more(']', i == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		missing := len(d.missing)
		if err := d.element(f); err != nil {
			return err.at(i)
		}
		if len(d.missing) != missing {
			d.missingIn(missing, Step{Index: i})
		}
	}
	if packed > 0 && len(d.out) == packed { // no elements
		d.out = d.out[:packed-1-protowire.SizeVarint(f.packed)]
	} else if packed > 0 {
		d.close(packed)
	}
	return nil
}

// element reads an element of a list.
func (d *decoder) element(f *field) *Error {
	if f.message != nil {
		return d.messageField(f)
	}
	before := len(d.out)
	if f.packed == 0 {
		d.out = appendVarint(d.out, f.tag)
	}
	ok, err := d.scalar(f)
	if !ok {
		d.out = d.out[:before]
	}
	return err
}
