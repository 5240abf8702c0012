package structs

import (
	"math"
	"reflect"
	"time"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// The range of google.protobuf.Timestamp: the years 1 to 9999.
const (
	minSeconds = -62135596800
	maxSeconds = 253402300799
)

// stamp is the wire form that Timestamp and Duration share.
type stamp struct {
	seconds int64
	nanos   int32
}

// read merges b into the stamp.
func (s *stamp) read(d *decoder, b []byte) *Error {
	for i := 0; i < len(b); {
		tag, next := wire.Tag(b, i)
		if next <= 0 {
			return wire.Malformed(next)
		}
		if tag != 1<<3 && tag != 2<<3 {
			var err *Error
			if i, err = wire.Skip(b, next, tag, d.depth); err != nil {
				return err
			}
			continue
		}
		x, end := wire.Varint(b, next)
		if end <= 0 {
			return wire.Malformed(end)
		}
		if tag == 1<<3 {
			s.seconds = int64(x)
		} else {
			s.nanos = int32(x)
		}
		i = end
	}
	return nil
}

func (e *encoder) stamp(s stamp) {
	if s.nanos != 0 {
		e.VarintField(2<<3, uint64(s.nanos))
	}
	if s.seconds != 0 {
		e.VarintField(1<<3, uint64(s.seconds))
	}
}

// timeLeaf reads a google.protobuf.Timestamp into a time.Time.
type timeLeaf struct{}

func (timeLeaf) decode(d *decoder, p unsafe.Pointer, b []byte) *Error {
	t := (*time.Time)(p)
	var s stamp
	if !t.IsZero() {
		s = stamp{t.Unix(), int32(t.Nanosecond())}
	}
	if err := s.read(d, b); err != nil {
		return err
	}
	if s.seconds < minSeconds || s.seconds > maxSeconds || s.nanos < 0 || s.nanos >= 1e9 {
		return wire.NewRange("the timestamp is not within the years 1 to 9999")
	}
	*t = time.Unix(s.seconds, int64(s.nanos)).UTC()
	return nil
}

func (timeLeaf) encode(e *encoder, p unsafe.Pointer) *Error {
	t := *(*time.Time)(p)
	s := stamp{t.Unix(), int32(t.Nanosecond())}
	if s.seconds < minSeconds || s.seconds > maxSeconds {
		return wire.NewUnencodable("the time is not within the years 1 to 9999")
	}
	e.stamp(s)
	return nil
}

func (timeLeaf) isZero(p unsafe.Pointer) bool { return (*time.Time)(p).IsZero() }

// durationLeaf reads a google.protobuf.Duration into a time.Duration.
type durationLeaf struct{}

func (durationLeaf) decode(d *decoder, p unsafe.Pointer, b []byte) *Error {
	v := (*time.Duration)(p)
	s := stamp{int64(*v / time.Second), int32(*v % time.Second)}
	if err := s.read(d, b); err != nil {
		return err
	}
	switch {
	case s.nanos <= -1e9 || s.nanos >= 1e9 || s.seconds > 0 && s.nanos < 0 || s.seconds < 0 && s.nanos > 0:
		return wire.NewRange("the duration has nanoseconds out of range")
	case s.seconds > math.MaxInt64/int64(time.Second) || s.seconds < math.MinInt64/int64(time.Second):
		return wire.NewRange("the duration is longer than the 292 years of a time.Duration")
	}
	whole := s.seconds * int64(time.Second)
	sum := whole + int64(s.nanos)
	if whole > 0 && sum < 0 || whole < 0 && sum > 0 {
		return wire.NewRange("the duration is longer than the 292 years of a time.Duration")
	}
	*v = time.Duration(sum)
	return nil
}

func (durationLeaf) encode(e *encoder, p unsafe.Pointer) *Error {
	v := *(*time.Duration)(p)
	e.stamp(stamp{int64(v / time.Second), int32(v % time.Second)})
	return nil
}

func (durationLeaf) isZero(p unsafe.Pointer) bool { return *(*time.Duration)(p) == 0 }

// generatedLeaf reads and writes a message with package proto. Its Go type was
// generated for the message, or implements proto.Message in another way.
type generatedLeaf struct{ typ reflect.Type }

func (l generatedLeaf) at(p unsafe.Pointer) proto.Message {
	return reflect.NewAt(l.typ, p).Interface().(proto.Message)
}

func (l generatedLeaf) decode(d *decoder, p unsafe.Pointer, b []byte) *Error {
	m := l.at(p)
	// The level that was just entered counts for protobuf as well.
	opts := proto.UnmarshalOptions{Merge: true, AllowPartial: true, RecursionLimit: d.depth + 1}
	if err := opts.Unmarshal(b, m); err != nil {
		return wire.NewMalformed(err.Error())
	}
	if proto.CheckInitialized(m) != nil {
		d.partial = true
	}
	return nil
}

func (l generatedLeaf) encode(e *encoder, p unsafe.Pointer) *Error {
	m := l.at(p)
	if proto.CheckInitialized(m) != nil {
		e.missing = append(e.missing, missingIn(m.ProtoReflect())...)
		return nil //nolint:nilerr // e.missing has it
	}
	opts := proto.MarshalOptions{AllowPartial: true}
	size := opts.Size(m)
	out, err := opts.MarshalAppend(e.Space(size)[:0], m)
	if err != nil {
		return wire.NewUnencodable("%v", err)
	}
	if len(out) != size {
		return wire.NewUnencodable("the message changed while it was written")
	}
	return nil
}

func (generatedLeaf) isZero(unsafe.Pointer) bool { return false }

// wrap writes the prefix of a length-prefixed field around what was written since before.
func (e *encoder) wrap(num protowire.Number, before int) {
	e.PrefixField(protowire.EncodeTag(num, protowire.BytesType), before)
}

func newOf(t reflect.Type) unsafe.Pointer { return reflect.New(t).UnsafePointer() }
