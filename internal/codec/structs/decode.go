package structs

import (
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// decoder is the state of reading one message.
type decoder struct {
	alias    bool
	partial  bool   // a required field was missing somewhere: see required.go
	rejected bool   // the value of a map entry was not one of its closed enum
	depth    int    // how many more levels of messages may be entered
	group    uint64 // the end-group tag of the message that is entered next, if it is a group
	closed   int    // where the last group ended
	hint     int    // how many elements of the current list follow each other
	left     int    // an upper bound of the string bytes to come, this arena included
	chunk    int    // size of the last arena
	arena    []byte
	used     int      // of the arena
	lists    []string // lists of strings are parts of it
	listed   int
	blocks   []block
	entries  []*entry
}

// errUnknown makes the caller treat a field as unknown. It is never returned to
// users.
var errUnknown = &Error{}

// message reads b into the struct at p, merging into what is there. It ends at the
// end of b or, in a group, after the end-group tag, which is end; d.closed is then
// the position after it.
//
//nolint:funlen // the hot loop, which would pay for every call
func (d *decoder) message(pl *plan, p unsafe.Pointer, b []byte, end uint64) *Error {
	var seen uint64
	i := 0
	for i < len(b) {
		start := i
		tag := uint64(b[i])
		i++
		if tag >= 0x80 {
			if tag, i = wire.Tag(b, start); i <= 0 {
				return wire.Malformed(i)
			}
		}
		f := pl.lookup(tag)
		if f == nil {
			if tag == end && end != 0 {
				d.closed, end = i, 0
				break
			}
			var err *Error
			if i, err = wire.Skip(b, i, tag, d.depth); err != nil {
				return err
			}
			pl.keep(p, b[start:i])
			continue
		}
		known := true
		var err *Error
		switch protowire.Type(tag & 7) {
		case protowire.VarintType:
			var x uint64
			if i < len(b) && b[i] < 0x80 {
				x = uint64(b[i])
				i++
			} else if x, i = wire.Varint(b, i); i <= 0 {
				return wire.Malformed(i).In(f.name)
			}
			known = f.decodeBits(d, f, unsafe.Add(p, f.off), x)
		case protowire.BytesType:
			var n int
			if i < len(b) && int(b[i]) < min(0x80, len(b)-i) {
				n = int(b[i])
				i++
			} else if n, i = wire.Length(b, i); i <= 0 {
				return wire.Malformed(i).In(f.name)
			}
			if f.counted && full(f, unsafe.Add(p, f.off)) {
				d.hint = wire.Run(b[start:], i-start, i+n-start)
			}
			err = f.decodeBytes(d, f, unsafe.Add(p, f.off), b[i:i+n:i+n])
			i += n
		default:
			var n int
			n, known, err = d.fixedOrGroup(f, unsafe.Add(p, f.off), tag, b[i:])
			i += n
		}
		if err != nil {
			if err != errUnknown {
				return err.In(f.name)
			}
			known = false
		}
		if !known {
			pl.keep(p, b[start:i])
			if !f.unbound {
				continue
			}
		}
		seen |= f.seen
	}
	if end != 0 {
		return wire.NewMalformed(wire.DetailGroup)
	}
	if seen != pl.seenAll || pl.manyRequired {
		d.partial = true
	}
	return nil
}

// fixedOrGroup reads the value of a field that is neither a varint nor
// length-prefixed. It returns
// its length, and whether the field took it.
func (d *decoder) fixedOrGroup(f *field, p unsafe.Pointer, tag uint64, b []byte) (int, bool, *Error) {
	switch protowire.Type(tag & 7) {
	case protowire.Fixed32Type:
		if len(b) < 4 {
			return 0, false, wire.NewMalformed(wire.DetailTruncated)
		}
		return 4, f.decodeBits(d, f, p, uint64(wire.Uint32(b))), nil
	case protowire.Fixed64Type:
		if len(b) < 8 {
			return 0, false, wire.NewMalformed(wire.DetailTruncated)
		}
		return 8, f.decodeBits(d, f, p, wire.Uint64(b)), nil
	}
	d.hint = 1
	if f.sub != nil && f.sub.leaf == nil {
		d.group = tag + 1 // the end-group wire type follows start-group
		err := f.decodeBytes(d, f, p, b)
		return d.closed, true, err
	}
	body, n, err := wire.SkipGroup(b, 0, tag>>3, d.depth)
	if err == nil {
		err = f.decodeBytes(d, f, p, b[:body:body])
	}
	return n, true, err
}

// sub enters a nested message.
func (d *decoder) sub(pl *plan, p unsafe.Pointer, b []byte) *Error {
	if d.depth <= 0 {
		return wire.NewMalformed(wire.DetailDepth)
	}
	d.depth--
	end := d.group
	d.group = 0
	var err *Error
	if pl.leaf == nil {
		err = d.message(pl, p, b, end)
	} else {
		err = pl.leaf.decode(d, p, b)
	}
	d.depth++
	return err
}

// keep saves an unknown field, if the struct has a place for it.
func (pl *plan) keep(p unsafe.Pointer, raw []byte) {
	if pl.keepsUnknown {
		u := (*[]byte)(unsafe.Add(p, pl.unknown))
		*u = append(*u, raw...)
	}
}
