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
	if seconds != 0 {
		d.out = append(d.out, 1<<3)
		d.out = protowire.AppendVarint(d.out, uint64(seconds))
	}
	if nanos != 0 {
		d.out = append(d.out, 2<<3)
		d.out = protowire.AppendVarint(d.out, uint64(nanos))
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
		d.out = protowire.AppendVarint(d.out, p.fields[0].tag)
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

// wantedURL describes the "@type" of an Any.
const wantedURL = `a type such as "type.googleapis.com/google.protobuf.Duration"`

// anyMessage reads a google.protobuf.Any: an object with the key "@type" at any
// position.
func (d *decoder) anyMessage(outer *Plan) *Error {
	if d.space() != '{' {
		return d.mismatch(d.pos, wantedMessage(outer))
	}
	start := d.pos
	url, members, err := d.typeURL()
	if err != nil {
		return err
	}
	switch {
	case url == "" && members == 0:
		return nil
	case url == "" && d.opts.IgnoreUnknown:
		return nil
	case url == "":
		return &Error{Problem: `"@type" is missing: the type of the message, such as "type.googleapis.com/google.protobuf.Duration"`, offset: start}
	}
	after := d.pos
	p, err := d.anyPlan(url, start)
	if err != nil {
		return err
	}
	d.out = append(d.out, 1<<3|byte(protowire.BytesType))
	d.out = protowire.AppendString(d.out, url)
	d.out = append(d.out, 2<<3|byte(protowire.BytesType))
	content := d.open()
	d.pos = start
	if err := d.anyContent(p); err != nil {
		return err
	}
	d.pos = after
	if len(d.out) == content {
		d.out = d.out[:content-2]
		return nil
	}
	d.close(content)
	return nil
}

// typeURL reads the object at pos and returns its "@type" and its number of
// members.
func (d *decoder) typeURL() (url string, members int, err *Error) {
	d.pos++
	found := false
	for ; ; members++ {
		more, err := d.more('}', members == 0)
		if !more || err != nil {
			return url, members, err
		}
		d.space()
		at := d.pos
		key, err := d.key()
		if err != nil {
			return "", 0, err
		}
		if string(key) != "@type" {
			if err := d.skip(d.depth); err != nil {
				return "", 0, err
			}
			continue
		}
		if found {
			return "", 0, (&Error{Problem: "it occurs twice", offset: at}).in("@type")
		}
		found = true
		if d.space() != '"' {
			return "", 0, d.mismatch(d.pos, wantedURL).in("@type")
		}
		text, err := d.text()
		if err != nil {
			return "", 0, err
		}
		if url = string(text); url == "" {
			return "", 0, (&Error{Expected: wantedURL, Got: "the string \"\"", offset: at}).in("@type")
		}
	}
}

// anyPlan returns the plan of the message in an Any.
func (d *decoder) anyPlan(url string, at int) (*Plan, *Error) {
	mt, err := d.plans.types.FindMessageByURL(url)
	if err != nil {
		return nil, (&Error{Problem: "unknown message type " + quoted(url), offset: at}).in("@type")
	}
	return d.plans.Plan(mt.Descriptor()), nil
}

// anyContent reads the object of an Any as its message. It does not check
// required fields.
func (d *decoder) anyContent(p *Plan) *Error {
	partial := d.opts.AllowPartial
	d.opts.AllowPartial = true
	defer func() { d.opts.AllowPartial = partial }()
	if p.kind != wellknown.None {
		return d.anyValue(p)
	}
	if d.depth--; d.depth < 0 {
		return d.tooDeep()
	}
	err := d.object(p, true)
	d.depth++
	return err
}

// anyValue reads the object of an Any whose message has a special JSON form, in
// the member "value".
func (d *decoder) anyValue(p *Plan) *Error {
	start := d.pos
	d.pos++
	found := false
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		d.space()
		at := d.pos
		key, err := d.key()
		if err != nil {
			return err
		}
		switch name := string(key); {
		case name == "@type":
			err = d.skip(d.depth)
		case name != "value" && d.opts.IgnoreUnknown:
			err = d.skip(d.depth)
		case name != "value":
			err = unknown(p.desc, "field", name, []string{"@type", "value"}, at).in(name)
		case found:
			err = (&Error{Problem: "the field is set twice", offset: at}).in(name)
		default:
			found = true
			if err = d.wellKnown(p); err != nil {
				err = err.in(name)
			}
		}
		if err != nil {
			return err
		}
	}
	if !found && p.kind != wellknown.Empty {
		return &Error{Problem: fmt.Sprintf("\"value\" is missing: the JSON of the %s", p.desc.FullName()), offset: start}
	}
	return nil
}
