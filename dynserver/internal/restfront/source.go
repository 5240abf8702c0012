package restfront

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/framing"
	"github.com/dyngate/dyngate/internal/jsonstream"
)

// openSource returns the source of a stream of requests. The error is a refusal, or
// has a status.
func (c *call) openSource() (source, error) {
	if c.r.ProtoMajor == 1 && hasBody(c.r) {
		if err := c.readAhead(); err != nil {
			return nil, err
		}
	}
	in, err := c.openBody()
	if err != nil {
		return nil, c.bodyError(err)
	}
	contentType := c.contentType()
	if c.endpoint.rawIn != nil {
		if media, _, err := mime.ParseMediaType(contentType); err == nil && media == multipart {
			form, err := c.newForm(in, -1)
			if err != nil {
				return nil, c.bodyError(err)
			}
			return &formSource{form: form, params: params{call: c, scratch: new(scratch)}}, nil
		}
		return &chunkSource{in: in, contentType: contentType}, nil
	}
	reader, ok := framing.NewReader(in, contentType, c.front.opts.MaxBodyBytes)
	if !ok {
		return nil, unsupported("content type", contentType, acceptField, "application/x-ndjson, "+jsonType)
	}
	return docSource{reader}, nil
}

// readAhead begins to read the body ahead.
func (c *call) readAhead() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over { // nobody would end it
		return errOver
	}
	c.ahead = readAhead(c.r.Body, c.lost)
	c.body.in = c.ahead
	return nil
}

// docSource reads JSON documents.
type docSource struct{ reader *jsonstream.Reader }

func (s docSource) next(c *call) (mem.BufferSlice, error) {
	doc, err := s.reader.Next()
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		return nil, c.bodyError(err)
	}
	return c.assemble(func(dst []byte, _ *scratch) ([]byte, error) {
		dst, err := c.appendDocument(dst, doc)
		if refused, ok := errors.AsType[*refusal](err); ok {
			number, line, column := s.reader.Position()
			err = refused.in(fmt.Sprintf("document %d, which begins at line %d:%d", number, line, column))
		}
		return dst, err
	})
}

// in returns the refusal of a document that is only a part of the request body.
func (r *refusal) in(document string) *refusal {
	pb := r.status.Proto()
	pb.Message = document + ": " + strings.TrimPrefix(pb.GetMessage(), "the request body: ")
	refused := *r
	refused.status = status.FromProto(pb)
	return &refused
}

// chunkBytes is the size of the messages into which a body is cut.
const chunkBytes = 32 << 10

// chunkSource cuts a body into messages with a google.api.HttpBody. There is at least
// one.
type chunkSource struct {
	in          io.Reader
	contentType string
	sent        bool
	err         error
}

func (s *chunkSource) next(c *call) (mem.BufferSlice, error) {
	if s.err != nil {
		return nil, s.err
	}
	return c.assemble(func(dst []byte, text *scratch) ([]byte, error) {
		var n int
		if text.text, n, s.err = readChunk(text.text, s.in); s.err != nil && s.err != io.EOF {
			s.err = c.bodyError(s.err)
			return dst, s.err
		}
		if n == 0 && s.sent {
			return dst, io.EOF
		}
		s.sent = true
		return c.endpoint.rawIn.append(dst, s.contentType, text.text[:n]), nil
	})
}

// readChunk reads what is there, up to a chunk, into buf.
func readChunk(buf []byte, in io.Reader) (_ []byte, n int, err error) {
	if cap(buf) < chunkBytes {
		buf = make([]byte, chunkBytes)
	}
	buf = buf[:chunkBytes]
	for n == 0 && err == nil {
		n, err = in.Read(buf)
	}
	return buf, n, err
}

// formSource cuts the files of a form into messages with a google.api.HttpBody. The
// values of the form that precede a file are in its messages.
type formSource struct {
	form   *framing.Form
	file   *framing.Part // that is being read
	begun  bool          // a message of the file was returned
	params params
	values []byte // in the binary format
	unsent bool   // values that no message has
}

func (s *formSource) next(c *call) (mem.BufferSlice, error) {
	return c.assemble(func(dst []byte, text *scratch) ([]byte, error) {
		for {
			if s.file == nil {
				if err := s.nextFile(); err != nil {
					if err == io.EOF && s.unsent {
						s.unsent = false
						return append(dst, s.values...), nil
					}
					return dst, err
				}
			}
			file := s.file
			var n int
			var err error
			if text.text, n, err = readChunk(text.text, file); err == io.EOF {
				s.file = nil
			} else if err != nil {
				return dst, err
			}
			if n > 0 || !s.begun {
				s.begun, s.unsent = true, false
				return c.endpoint.rawIn.append(append(dst, s.values...), file.ContentType, text.text[:n]), nil
			}
		}
	})
}

// nextFile reads the values before the next file, and begins the file.
func (s *formSource) nextFile() error {
	for {
		part, err := s.form.Next()
		if err != nil {
			return err
		}
		if part.File {
			s.file, s.begun = part, false
			return nil
		}
		if s.values, err = s.params.part(s.values, part); err != nil {
			return err
		}
		s.unsent = true
	}
}
