package framing

import (
	"io"

	"github.com/dyngate/dyngate/internal/jsonstream"
)

// NewReader returns a Reader of the documents in a request body. With the media
// types of NDJSON they are separated by whitespace. With application/json, or
// without a content type, the body may also be an array of documents. ok is false
// for any other content type. A document of more than maxBytes bytes is an error.
func NewReader(body io.Reader, contentType string, maxBytes int) (r *jsonstream.Reader, ok bool) {
	panic("not written yet")
}
