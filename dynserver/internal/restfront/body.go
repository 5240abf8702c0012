package restfront

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/framing"
	"github.com/dyngate/dyngate/internal/jsonstream"
)

// connBody is the body of a request as it comes from the connection.
type connBody struct {
	in   io.Reader
	read bool  // a byte has been read
	err  error // of the connection, not io.EOF
	eof  atomic.Bool
}

// empty reports whether the whole body has no byte.
func (b *connBody) empty() bool { return b.eof.Load() && !b.read }

// Read implements io.Reader.
func (b *connBody) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	b.read = b.read || n > 0
	if err == io.EOF {
		b.eof.Store(true)
	} else if err != nil {
		b.err = err
	}
	return n, err
}

// hasBody reports whether a request has a body, though it may be empty.
func hasBody(r *http.Request) bool {
	return r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody
}

// openBody returns a reader of the body without its encoding.
func (c *call) openBody() (io.Reader, error) {
	if c.body.in == nil {
		c.body.in = cmp.Or[io.Reader](c.r.Body, http.NoBody)
	}
	return inflate(&c.body, c.r.Header["Content-Encoding"])
}

// errTooLarge is the error of a body that is larger than the limit.
var errTooLarge = errors.New("too large")

// firstRead limits the memory that a Content-Length alone can take.
const firstRead = 64 << 10

// readAll appends the whole body to dst.
func (c *call) readAll(dst []byte, in io.Reader) ([]byte, error) {
	limit := c.front.opts.MaxBodyBytes
	if c.r.ContentLength > int64(limit) && in == io.Reader(&c.body) {
		return dst, errTooLarge
	}
	if size := c.r.ContentLength; size > 0 {
		dst = slices.Grow(dst, int(min(size, firstRead))+1)
	}
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(512, len(dst)))
		}
		n, err := in.Read(dst[len(dst):min(cap(dst), limit+1)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, errTooLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// bodyError returns the refusal for an error of reading the body.
func (c *call) bodyError(err error) error {
	var refused *refusal
	var form *framing.FormError
	var stream *jsonstream.Error
	switch {
	case errors.As(err, &refused):
		return refused
	case c.body.err != nil:
		return c.connError(c.body.err)
	case errors.Is(err, errTooLarge):
		return tooLarge("the request body", c.front.opts.MaxBodyBytes)
	case errors.As(err, &form):
		return formError(form)
	case errors.As(err, &stream) && stream.TooLarge:
		r := tooLarge("a message", c.front.opts.MaxBodyBytes)
		r.status = status.New(codes.ResourceExhausted, "the request body: "+err.Error())
		return r
	}
	return invalid("the request body: " + err.Error())
}

// connError returns the refusal for an error of the connection.
func (c *call) connError(err error) error {
	var large *http.MaxBytesError
	if st, ok := status.FromError(err); ok { // the port's
		r := refuse(st.Code(), "%s", st.Message())
		if st.Code() == codes.DeadlineExceeded {
			r.code = http.StatusRequestTimeout
		}
		return r
	}
	switch {
	case errors.As(err, &large):
		return tooLarge("the request body", int(large.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.interrupted.Load(): // the server's
		r := refuse(codes.DeadlineExceeded, "the request body did not arrive in time")
		r.code = http.StatusRequestTimeout
		return r
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errEarly
	case c.ctx.Err() != nil:
		return c.contextError()
	}
	return errGone
}

// errEarly is the error of a body that the caller did not finish. Most often the caller
// has gone away.
var errEarly = status.Error(codes.Canceled, "the request body ends early")

// format is the format of a request body.
type format int

const (
	formatJSON      format = iota
	formatForm             // urlencoded
	formatMultipart        // a form too
	formatRaw              // the content of a google.api.HttpBody
)

const (
	jsonType    = "application/json"
	urlencoded  = "application/x-www-form-urlencoded"
	multipart   = "multipart/form-data"
	acceptField = "Accept" // of a response: RFC 9110, section 12.5.1
	acceptTypes = jsonType + ", " + multipart + ", " + urlencoded
)

// format returns the format of the body.
func (c *call) format() (format, error) {
	contentType := c.contentType()
	if c.endpoint.rawIn == nil && (contentType == jsonType || contentType == "") {
		return formatJSON, nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && media == multipart:
		return formatMultipart, nil
	case c.endpoint.rawIn != nil:
		return formatRaw, nil
	case err == nil && media == urlencoded:
		return formatForm, nil
	case err == nil && isJSON(media) && isUTF8(params["charset"]):
		return formatJSON, nil
	}
	return 0, unsupported("content type", contentType, acceptField, acceptTypes)
}

func (c *call) contentType() string {
	if values := c.r.Header["Content-Type"]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// isJSON reports whether documents of a media type are JSON.
func isJSON(media string) bool {
	return media == jsonType || strings.HasSuffix(media, "+json") || media == "text/json"
}

func isUTF8(charset string) bool {
	return charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8") || strings.EqualFold(charset, "us-ascii")
}
