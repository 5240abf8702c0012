package restfront

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// appendQuery appends the query parameters of the request.
func (c *call) appendQuery(dst []byte, s *scratch) ([]byte, error) {
	raw := c.r.URL.RawQuery
	if raw == "" {
		return dst, nil
	}
	p := params{call: c, scratch: s}
	for count := 0; raw != ""; {
		var pair string
		if pair, raw, _ = strings.Cut(raw, "&"); pair == "" {
			continue
		}
		if count++; count > c.front.opts.MaxParams {
			return dst, refuseParams(c.front.opts.MaxParams)
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return dst, invalidParam("query parameter", pair, "the name has an invalid escape")
		}
		if value, err = unescape(value); err != nil {
			return dst, invalidParam("query parameter", name, "the value has an invalid escape")
		}
		if dst, err = p.query(dst, name, value); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func refuseParams(limit int) *refusal {
	return invalid(fmt.Sprintf("the request has more than %d parameters", limit))
}

// unescape decodes a name or a value of a query. Most have nothing to decode.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// params appends the parameters of one request, or the parts of one form.
type params struct {
	call    *call
	scratch *scratch
	last    transcode.Param
	count   int // of the parameters so far
}

// query appends a query parameter.
func (p *params) query(dst []byte, name, value string) ([]byte, error) {
	e := p.call.endpoint
	if e.Body.Whole {
		if p.call.front.opts.IgnoreUnknownParams {
			return dst, nil
		}
		return dst, invalidParam("query parameter", name, "unknown: the body is the whole request, so there are no query parameters")
	}
	x, err := e.in.FindParam(name)
	if err != nil {
		return dst, p.unknown(err)
	}
	if body := e.Body.Field; body != nil && x.Root().Number() == body.Number() {
		return dst, invalidParam("query parameter", name, "the body sets this field")
	}
	if e.mask != nil && x.Root().Number() == e.mask.Number() && value != "" {
		p.call.masked = true
	}
	return p.append(dst, x, value)
}

// append appends a parameter, unless an earlier one sets the same.
func (p *params) append(dst []byte, x transcode.Param, value string) ([]byte, error) {
	if err := p.once(x); err != nil {
		return dst, refuseParam(err)
	}
	dst, err := x.Append(dst, value)
	if err != nil {
		return dst, refuseParam(err)
	}
	return dst, nil
}

// once checks that no earlier parameter sets the same. Most requests have one
// parameter, which needs no set.
func (p *params) once(x transcode.Param) error {
	set := &p.scratch.set
	switch p.count++; p.count {
	case 1:
		p.last = x
		return nil
	case 2:
		set.Reset()
		if err := set.Add(p.last); err != nil {
			return err
		}
	}
	return set.Add(x)
}

// unknown returns the refusal of a parameter that the message does not have, or nil if
// such parameters are ignored.
func (p *params) unknown(err error) error {
	var wrong *transcode.Error
	if p.call.front.opts.IgnoreUnknownParams && errors.As(err, &wrong) && wrong.Known != nil {
		return nil
	}
	return refuseParam(err)
}

// refuseParam returns the refusal for an error in a parameter.
func refuseParam(err error) *refusal {
	var wrong *transcode.Error
	if !errors.As(err, &wrong) {
		return invalid(err.Error())
	}
	bare := *wrong
	bare.Param = ""
	return invalid(wrong.Error(), &violation{Field: clip(wrong.Param), Description: bare.Error()})
}

// appendVars appends the variables of the path.
func (c *call) appendVars(dst []byte) ([]byte, error) {
	for i := range c.endpoint.vars {
		var err error
		if dst, err = c.endpoint.vars[i].Append(dst, c.values[i]); err != nil {
			return dst, refuseParam(err)
		}
	}
	return dst, nil
}
