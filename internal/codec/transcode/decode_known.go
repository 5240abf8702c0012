package transcode

import (
	"bytes"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// maxDuration is the maximum of google.protobuf.Duration, in seconds.
const maxDuration = 315576000000

// wellKnown reads a message that has a special JSON form.
func (d *decoder) wellKnown(p *Plan) *Error {
	switch p.kind {
	case wellknown.Any:
		return d.anyMessage(p)
	case wellknown.Empty:
		return d.object(p, false)
	case wellknown.Timestamp:
		return d.timestamp(p)
	case wellknown.Duration:
		return d.duration(p)
	case wellknown.FieldMask:
		return d.fieldMask(p)
	case wellknown.Struct:
		if d.space() != '{' {
			return d.mismatch(d.pos, wantedMessage(p))
		}
		return d.mapField(p.fields[0])
	case wellknown.ListValue:
		if d.space() != '[' {
			return d.mismatch(d.pos, wantedMessage(p))
		}
		return d.listField(p.fields[0])
	case wellknown.Value:
		return d.value(p)
	default:
		return d.singular(p.fields[0]) // a wrapper
	}
}

// stringFor reads the string that a message of p is written as. The text is valid until
// the next string is read.
func (d *decoder) stringFor(p *Plan) (text []byte, at int, err *Error) {
	if d.space() != '"' {
		return nil, 0, d.mismatch(d.pos, wantedMessage(p))
	}
	at = d.pos
	text, err = d.text()
	return text, at, err
}

func (d *decoder) timestamp(p *Plan) *Error {
	text, at, err := d.stringFor(p)
	if err != nil {
		return err
	}
	seconds, nanos, ok := parseTimestamp(text)
	return d.appendSeconds(p, at, seconds, nanos, ok)
}

func (d *decoder) duration(p *Plan) *Error {
	text, at, err := d.stringFor(p)
	if err != nil {
		return err
	}
	seconds, nanos, ok := parseDuration(text)
	return d.appendSeconds(p, at, seconds, nanos, ok)
}

// appendSeconds appends the fields of a Timestamp or Duration, unless the text at a
// position is not a valid one.
func (d *decoder) appendSeconds(p *Plan, at int, seconds int64, nanos int32, ok bool) *Error {
	if !ok {
		return d.mismatch(at, wantedMessage(p))
	}
	if seconds != 0 || d.zeros {
		d.out = append(d.out, 1<<3)
		d.out = appendVarint(d.out, uint64(seconds))
	}
	if nanos != 0 || d.zeros {
		d.out = append(d.out, 2<<3)
		d.out = appendVarint(d.out, uint64(nanos))
	}
	return nil
}

// parseDuration reads a decimal number of seconds with up to nine digits of a
// fraction, such as 1s, -0.5s, 1.s and .5s.
func parseDuration(s []byte) (seconds int64, nanos int32, ok bool) {
	s, ok = bytes.CutSuffix(s, []byte("s"))
	if !ok || len(s) == 0 {
		return 0, 0, false
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		s, sign = s[1:], -1
	case '+':
		s = s[1:]
	}
	end := digits(s, 0)
	whole, fraction := s[:end], s[end:]
	if len(whole) > 1 && whole[0] == '0' || len(whole) > len("315576000000") || len(s) == 0 {
		return 0, 0, false
	}
	n, _ := magnitude(whole)
	if len(fraction) != 1 || fraction[0] != '.' { // the dot may have no digits after it
		if nanos, ok = parseFraction(fraction); !ok || len(fraction) > len(".999999999") {
			return 0, 0, false
		}
	}
	return sign * int64(n), int32(sign) * nanos, n <= maxDuration
}

// fieldMask reads paths in lowerCamelCase, separated by commas.
func (d *decoder) fieldMask(p *Plan) *Error {
	text, at, err := d.stringFor(p)
	if err != nil {
		return err
	}
	all := strings.TrimSpace(string(text))
	if all == "" {
		return nil
	}
	for path := range strings.SplitSeq(all, ",") {
		snake := snakeCase(path)
		if strings.Contains(path, "_") || !protoreflect.FullName(snake).IsValid() {
			return &Error{Problem: fmt.Sprintf("the path %s of the field mask is not valid", quoted(path)), offset: at}
		}
		d.out = appendVarint(d.out, p.fields[0].tag)
		d.out = protowire.AppendString(d.out, snake)
	}
	return nil
}

// snakeCase is the inverse of camelCase.
func snakeCase(s string) string {
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			b = append(b, '_')
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// The fields of google.protobuf.Value, by index.
const (
	valueNull = iota
	valueNumber
	valueString
	valueBool
	valueStruct
	valueList
)

// value reads any JSON as a google.protobuf.Value.
func (d *decoder) value(p *Plan) *Error {
	switch c := d.space(); {
	case c == 'n':
		return d.singular(p.fields[valueNull])
	case c == 't' || c == 'f':
		return d.singular(p.fields[valueBool])
	case c == '"':
		return d.singular(p.fields[valueString])
	case c == '-' || '0' <= c && c <= '9':
		return d.singular(p.fields[valueNumber])
	case c == '{':
		return d.valueIn(p.fields[valueStruct])
	case c == '[':
		return d.valueIn(p.fields[valueList])
	default:
		return d.unexpected("a value")
	}
}

// valueIn reads the Struct or ListValue in a Value. Unlike other messages, they
// do not count as nested.
func (d *decoder) valueIn(f *field) *Error {
	d.depth++
	err := d.messageField(f)
	d.depth--
	return err
}
