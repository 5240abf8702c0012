package restfront

import (
	"encoding/base64"
	"io"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/framing"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// newForm returns a reader of the body as a form. total limits the body; negative
// for no limit.
func (c *call) newForm(in io.Reader, total int) (*framing.Form, error) {
	form, ok, err := framing.NewForm(in, c.contentType(), framing.FormLimits{
		Parts: c.front.opts.MaxParams, ValueBytes: int64(c.front.opts.MaxBodyBytes), TotalBytes: int64(total),
	})
	if err == nil && !ok {
		err = unsupported("content type", c.contentType(), acceptField, acceptTypes)
	}
	return form, err
}

// appendForm appends the values and files of a form.
func (c *call) appendForm(dst []byte, in io.Reader, s *scratch) ([]byte, error) {
	form, err := c.newForm(in, c.front.opts.MaxBodyBytes)
	if err != nil {
		return dst, err
	}
	p := params{call: c, scratch: s}
	for {
		part, err := form.Next()
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
		if dst, err = p.part(dst, part); err != nil {
			return dst, err
		}
	}
}

// part appends a part of a form: the field of the body that has its name.
func (p *params) part(dst []byte, part *framing.Part) ([]byte, error) {
	e := p.call.endpoint
	content, err := io.ReadAll(part) // package framing limits it
	if err != nil {
		return dst, err
	}
	if part.File && part.FileName == "" && len(content) == 0 {
		return dst, nil // how a browser sends that no file was chosen
	}
	name := part.Name
	if e.Body.Field != nil && e.rawIn == nil {
		name = e.Body.Field.TextName() + "." + name
	}
	x, err := e.in.FindParam(name)
	if part.File && err != nil {
		if kind, data, ok := p.fileBody(name); ok {
			if dst, err = p.append(dst, kind, part.ContentType); err != nil {
				return dst, err
			}
			return p.append(dst, data, base64.StdEncoding.EncodeToString(content))
		}
	}
	if err != nil {
		return dst, p.unknown(err)
	}
	if part.File && x.Field().Kind() == protoreflect.BytesKind {
		return p.append(dst, x, base64.StdEncoding.EncodeToString(content))
	}
	return p.append(dst, x, string(content))
}

// fileBody returns the fields of a google.api.HttpBody of a name.
func (p *params) fileBody(name string) (contentType, data transcode.Param, ok bool) {
	contentType, err := p.call.endpoint.in.FindParam(name + ".content_type")
	if err != nil || contentType.Field().ContainingMessage().FullName() != "google.api.HttpBody" {
		return contentType, data, false
	}
	data, err = p.call.endpoint.in.FindParam(name + ".data")
	return contentType, data, err == nil
}

// formError returns the refusal for an error in a form.
func formError(err *framing.FormError) *refusal {
	if err.TooLarge {
		return &refusal{status: status.New(codes.ResourceExhausted, "the form: "+err.Error()), code: http.StatusRequestEntityTooLarge}
	}
	if err.Part == "" {
		return invalid("the form: " + err.Error())
	}
	return invalidParam("form field", err.Part, err.Problem)
}
