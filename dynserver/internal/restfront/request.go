package restfront

import (
	"bytes"
	"io"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// request reads the request of a method that takes one. The errors are refusals, or
// have a status.
func (c *call) request() (mem.BufferSlice, error) {
	return c.assemble(c.appendBody)
}

// assemble makes a request message: query parameters, what body appends, and the
// variables of the path, in this order. Later ones replace earlier ones, and nested
// messages are merged.
func (c *call) assemble(body func([]byte, *scratch) ([]byte, error)) (mem.BufferSlice, error) {
	s := getScratch()
	defer s.free()
	c.checked = false
	var err error
	if s.wire, err = c.appendQuery(s.wire[:0], s); err != nil {
		return nil, err
	}
	s.wire, err = body(s.wire, s)
	switch {
	case err == io.EOF: // the end of a stream
		return nil, io.EOF
	case err != nil:
		return nil, c.bodyError(err)
	}
	if s.wire, err = c.appendVars(s.wire); err != nil {
		return nil, err
	}
	if err = c.checkRequired(s); err != nil {
		return nil, err
	}
	if !c.endpoint.manyIn && len(s.wire) <= httpcall.MaxSmall {
		return c.only.Copy(s.wire), nil
	}
	return httpcall.Message(s.wire, pool), nil
}

// appendBody appends the whole body of the request as one message, or as a field of
// it.
func (c *call) appendBody(dst []byte, s *scratch) ([]byte, error) {
	if !hasBody(c.r) {
		return dst, nil
	}
	in, err := c.openBody()
	if err != nil {
		return dst, err
	}
	if !c.endpoint.takesBody() {
		return dst, c.refuseBody(in)
	}
	kind, err := c.format()
	if err != nil {
		return dst, err
	}
	if kind == formatMultipart {
		return c.appendForm(dst, in, s)
	}
	if s.text, err = c.readAll(s.text[:0], in); err != nil {
		return dst, err
	}
	if packed, ok := in.(*inflated); ok {
		packed.free()
	}
	switch {
	case kind == formatRaw:
		return c.endpoint.rawIn.append(dst, c.contentType(), s.text), nil
	case kind == formatForm && !looksLikeJSON(s.text):
		return c.appendForm(dst, bytes.NewReader(s.text), s)
	case len(s.text) == 0:
		return dst, nil
	}
	return c.appendDocument(dst, s.text)
}

// looksLikeJSON reports whether a body that claims to be a form is a JSON document:
// curl claims so unless it is told otherwise. No name of a form's field begins like
// this.
func looksLikeJSON(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// refuseBody refuses a body that the method does not take, unless it is empty.
func (c *call) refuseBody(in io.Reader) error {
	if c.front.opts.IgnoreUnknownParams {
		return nil
	}
	var one [1]byte
	switch n, err := io.ReadFull(in, one[:]); {
	case n > 0:
		return invalid("this method takes no request body: use the path and query parameters")
	case err != io.EOF:
		return err
	}
	return nil
}

// appendDocument appends a JSON document.
func (c *call) appendDocument(dst, doc []byte) ([]byte, error) {
	e := c.endpoint
	opts := c.front.opts.decode()
	// What only the URL sets is missing in the document.
	opts.AllowPartial = e.required && (len(e.vars) > 0 || e.Body.Field != nil || c.r.URL.RawQuery != "")
	c.checked = !opts.AllowPartial
	var err error
	if e.Body.Field == nil {
		dst, err = e.in.AppendWire(dst, doc, opts)
	} else {
		dst, err = e.in.AppendWireField(dst, doc, e.Body.Field, opts)
	}
	if err != nil {
		return dst, invalidBody(err)
	}
	if e.mask != nil && !c.masked && !c.front.opts.KeepUpdateMask {
		return c.appendMask(dst, doc)
	}
	return dst, nil
}

// appendMask appends the update mask for the fields that a document sets.
func (c *call) appendMask(dst, doc []byte) ([]byte, error) {
	if string(bytes.TrimSpace(doc)) == "null" {
		return dst, nil
	}
	e := c.endpoint
	paths, err := e.plans.Plan(e.Body.Field.Message()).MaskPaths(doc)
	if err != nil {
		return dst, invalidBody(err)
	}
	var mask []byte
	for _, path := range paths {
		mask = protowire.AppendTag(mask, 1, protowire.BytesType)
		mask = protowire.AppendString(mask, path)
	}
	dst = protowire.AppendTag(dst, e.mask.Number(), protowire.BytesType)
	return protowire.AppendBytes(dst, mask), nil
}

// checkRequired checks that the assembled message has its required fields.
func (c *call) checkRequired(s *scratch) error {
	if !c.endpoint.required || c.checked {
		return nil
	}
	var err error
	if s.text, err = c.endpoint.in.AppendJSON(s.text[:0], s.wire, transcode.EncodeOptions{}); err != nil {
		return invalidMessage(err)
	}
	return nil
}
