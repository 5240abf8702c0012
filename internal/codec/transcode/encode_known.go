package transcode

import (
	"encoding/base64"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// wellKnown writes a message that has a special JSON form.
func (e *encoder) wellKnown(p *Plan, content int) *Error {
	if p.kind == wellknown.Timestamp || p.kind == wellknown.Duration {
		if seconds, nanos, ok := e.seconds(e.records[content]); ok && p.kind == wellknown.Timestamp {
			return e.timestamp(seconds, nanos)
		} else if ok {
			return e.duration(seconds, nanos)
		}
	}
	records, base := len(e.records), len(e.slots)
	for range len(p.fields) + p.oneofs {
		e.slots = append(e.slots, slot{})
	}
	for r := content; r != 0; r = e.records[r].next {
		if _, err := e.scan(p, e.records[r], base, nil); err != nil {
			return err
		}
	}
	slots := e.slots[base : base+len(p.fields)]
	var err *Error
	switch p.kind {
	case wellknown.Any:
		err = e.anyMessage(slots[0].first, slots[1].first)
	case wellknown.Empty:
		e.out = append(e.out, "{}"...)
	case wellknown.Timestamp:
		err = e.timestamp(e.int(p, slots, 0), e.int(p, slots, 1))
	case wellknown.Duration:
		err = e.duration(e.int(p, slots, 0), e.int(p, slots, 1))
	case wellknown.FieldMask:
		err = e.fieldMask(slots[0].first)
	case wellknown.Struct:
		_, err = e.mapField(p.fields[0], slots[0].first)
	case wellknown.ListValue:
		_, err = e.list(p.fields[0], slots[0].first)
	case wellknown.Value:
		err = e.value(p, slots)
	default:
		err = e.wrapper(p.fields[0], slots[0].first)
	}
	e.records, e.slots = e.records[:records], e.slots[:base]
	return err
}

// seconds reads a Timestamp or Duration that is as encoders write it, which most are.
func (e *encoder) seconds(r record) (seconds, nanos int64, ok bool) {
	in, i := e.in[:r.end], r.start
	if i < len(in) && in[i] == 1<<3 {
		var x uint64
		if x, i = wire.Varint(in, i+1); i <= 0 {
			return 0, 0, false
		}
		seconds = int64(x)
	}
	if i < len(in) && in[i] == 2<<3 {
		var x uint64
		if x, i = wire.Varint(in, i+1); i <= 0 {
			return 0, 0, false
		}
		nanos = int64(int32(x))
	}
	return seconds, nanos, i == len(in) && r.next == 0
}

func (e *encoder) int(p *Plan, slots []slot, i int) int64 {
	if slots[i].first == 0 {
		return 0
	}
	return int64(e.bits(p.fields[i], e.records[slots[i].first].start))
}

func (e *encoder) wrapper(f *field, first int) *Error {
	if first == 0 {
		e.number(f, 0)
		return nil
	}
	return e.scalar(f, e.records[first])
}

func (e *encoder) timestamp(seconds, nanos int64) *Error {
	if seconds < minTimestamp || seconds > maxTimestamp || nanos < 0 || nanos > 999_999_999 {
		return &Error{Problem: fmt.Sprintf("google.protobuf.Timestamp with seconds %d and nanos %d is out of range", seconds, nanos)}
	}
	e.out = append(e.out, '"')
	e.out = appendTime(e.out, seconds)
	e.fraction(nanos)
	e.out = append(e.out, 'Z', '"')
	return nil
}

func (e *encoder) duration(seconds, nanos int64) *Error {
	if seconds < -maxDuration || seconds > maxDuration || nanos < -999_999_999 || nanos > 999_999_999 ||
		seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0 {
		return &Error{Problem: fmt.Sprintf("google.protobuf.Duration with seconds %d and nanos %d is out of range", seconds, nanos)}
	}
	e.out = append(e.out, '"')
	if seconds < 0 || nanos < 0 {
		e.out = append(e.out, '-')
		seconds, nanos = -seconds, -nanos
	}
	e.out = appendKey(e.out, protoreflect.Uint64Kind, uint64(seconds))
	e.fraction(nanos)
	e.out = append(e.out, 's', '"')
	return nil
}

// fraction writes nanoseconds as a dot and 3, 6 or 9 digits, or nothing.
func (e *encoder) fraction(nanos int64) {
	if nanos == 0 {
		return
	}
	digits := 9
	for nanos%1000 == 0 {
		nanos /= 1000
		digits -= 3
	}
	start := len(e.out)
	e.out = append(e.out, ".000000000"[:digits+1]...)
	for i := start + digits; nanos > 0; i-- {
		e.out[i] = byte('0' + nanos%10)
		nanos /= 10
	}
}

func (e *encoder) fieldMask(first int) *Error {
	e.out = append(e.out, '"')
	for r := first; r != 0; r = e.records[r].next {
		path := string(e.in[e.records[r].start:e.records[r].end])
		camel := camelCase(path)
		if !protoreflect.FullName(path).IsValid() || snakeCase(camel) != path {
			return &Error{Problem: fmt.Sprintf("the path %s of the field mask cannot be written as JSON", quoted(path))}
		}
		if r != first {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, camel...)
	}
	e.out = append(e.out, '"')
	return nil
}

// camelCase converts a path of a field mask to its JSON form.
func camelCase(s string) string {
	b := make([]byte, 0, len(s))
	upper := false
	for i := range len(s) {
		c := s[i]
		if c == '_' {
			upper = true
			continue
		}
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper = false
		b = append(b, c)
	}
	return string(b)
}

// value writes a google.protobuf.Value.
func (e *encoder) value(p *Plan, slots []slot) *Error {
	for i, f := range p.fields {
		first := slots[i].first
		if first == 0 {
			continue
		}
		if f.message != nil {
			e.depth++ // Struct and ListValue do not count as nested
			err := e.message(f.message.get(), first)
			e.depth--
			return err
		}
		if i == valueNumber {
			before := len(e.out)
			err := e.scalar(f, e.records[first])
			if err == nil && e.out[before] == '"' {
				err = &Error{Problem: "google.protobuf.Value has no JSON for the number " + strings.Trim(string(e.out[before:]), `"`)}
			}
			return err
		}
		return e.scalar(f, e.records[first])
	}
	return &Error{Problem: "google.protobuf.Value has no value"}
}

// anyMessage writes a google.protobuf.Any.
func (e *encoder) anyMessage(url, value int) *Error {
	var name []byte
	if url != 0 {
		name = e.in[e.records[url].start:e.records[url].end]
	}
	content := record{}
	if value != 0 {
		content = e.records[value]
	}
	if len(name) == 0 {
		if content.start < content.end {
			return &Error{Problem: "google.protobuf.Any has a value but no type"}
		}
		e.out = append(e.out, "{}"...)
		return nil
	}
	before, level, depth := len(e.out), e.level, e.depth
	records, slots, entries := len(e.records), len(e.slots), len(e.entries)
	err := e.anyContent(string(name), content)
	if err == nil || err == errAgain || !e.opts.Lenient {
		return err
	}
	e.out, e.level, e.depth = e.out[:before], level, depth
	e.records, e.slots, e.entries = e.records[:records], e.slots[:slots], e.entries[:entries]
	return e.unreadable(name, content)
}

// anyContent writes the message in an Any. It does not check required fields.
func (e *encoder) anyContent(url string, content record) *Error {
	mt, err := e.plans.types.FindMessageByURL(url)
	if err != nil {
		return &Error{Problem: fmt.Sprintf("the type %s of an Any is unknown", quoted(url))}
	}
	inner := e.plans.Plan(mt.Descriptor())
	if e.depth--; e.depth < 0 {
		return (&scanner{}).tooDeep()
	}
	partial := e.partial
	e.partial = true
	defer func() { e.partial = partial }()
	span := e.span(content.start, content.end)
	e.begin('{')
	e.key(`"@type":`)
	var ok bool
	if e.out, ok = appendString(e.out, []byte(url)); !ok {
		return &Error{Problem: "the type of an Any is not valid UTF-8"}
	}
	var wrong *Error
	if inner.kind == wellknown.None || inner.kind == wellknown.Empty {
		wrong = e.fields(inner, span)
	} else {
		e.key(`"value":`)
		wrong = e.wellKnown(inner, span)
	}
	e.end('}')
	e.depth++
	return wrong
}

// unreadable writes an Any whose content cannot be decoded.
func (e *encoder) unreadable(url []byte, content record) *Error {
	e.begin('{')
	e.key(`"@type":`)
	var ok bool
	if e.out, ok = appendString(e.out, url); !ok {
		return &Error{Problem: "the type of an Any is not valid UTF-8"}
	}
	e.key(`"@value":`)
	e.out = append(e.out, '"')
	e.out = base64.StdEncoding.AppendEncode(e.out, e.in[content.start:content.end])
	e.out = append(e.out, '"')
	e.end('}')
	return nil
}
