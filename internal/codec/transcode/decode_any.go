package transcode

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

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
