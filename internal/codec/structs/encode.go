package structs

import (
	"unsafe"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// encoder is the state of writing one message.
type encoder struct {
	wire.Writer
	depth   int      // how many more levels of messages may be entered
	missing []string // paths of required fields that are not set
	entries []*entry
}

// message writes the fields of the struct at p, in the order of their numbers.
func (e *encoder) message(pl *plan, p unsafe.Pointer) *Error {
	if pl.keepsUnknown {
		e.Raw(*(*[]byte)(unsafe.Add(p, pl.unknown)))
	}
	for _, members := range pl.oneofs {
		if err := checkOneof(members, p); err != nil {
			return err
		}
	}
	for i := len(pl.fields) - 1; i >= 0; i-- {
		f := &pl.fields[i]
		var err *Error
		if f.text { // the most frequent kind, without a call through a pointer
			err = encodePlainString(e, f, unsafe.Add(p, f.off))
		} else {
			err = f.encode(e, f, unsafe.Add(p, f.off))
		}
		if err != nil {
			return err.In(f.name)
		}
	}
	return nil
}

// checkOneof fails when more than one member of a oneof is set.
func checkOneof(members []*field, p unsafe.Pointer) *Error {
	var first *field
	for _, f := range members {
		if *(*unsafe.Pointer)(unsafe.Add(p, f.off)) == nil {
			continue
		}
		if first != nil {
			return wire.NewUnencodable("%s and %s are both set, members of the oneof %s", first.name, f.name, f.oneof)
		}
		first = f
	}
	return nil
}

// sub writes a nested message without its tag and length.
func (e *encoder) sub(pl *plan, p unsafe.Pointer) *Error {
	if e.depth <= 0 {
		return wire.NewUnencodable(wire.DetailDepth)
	}
	e.depth--
	var err *Error
	if pl.leaf == nil {
		err = e.message(pl, p)
	} else {
		err = pl.leaf.encode(e, p)
	}
	e.depth++
	return err
}

// nested writes a nested message with its tag, and its length or end tag.
func (e *encoder) nested(f *field, p unsafe.Pointer, index int) *Error {
	if f.group {
		e.Varint(f.tag + 1) // the end-group wire type follows start-group
	}
	before, missingBefore := e.Written(), len(e.missing)
	if err := e.sub(f.sub, p); err != nil {
		return err
	}
	for i := missingBefore; i < len(e.missing); i++ {
		e.missing[i] = wire.Join(f.segment(index), e.missing[i])
	}
	if f.group {
		e.Varint(f.tag)
	} else {
		e.PrefixField(f.tag, before)
	}
	return nil
}

// addMissing records that a required field is not set.
func (e *encoder) addMissing(f *field) *Error {
	e.missing = append(e.missing, f.name)
	return nil
}
