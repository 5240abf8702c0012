package framing

import (
	"io"
	"mime"
	"slices"

	"github.com/dyngate/dyngate/internal/jsonstream"
)

// NewReader returns a Reader of the documents in a request's body. A document of more
// than maxBytes bytes is an error.
//
// With a media type of NDJSON the documents follow each other, separated by white
// space or by nothing. With application/json, or without a content type, the body
// may also be one array of all documents. ok is false for other content types and
// for charsets other than UTF-8.
//
// The Reader finds the ends of the documents; its caller must check that they are
// JSON, which decoding them does.
func NewReader(body io.Reader, contentType string, maxBytes int) (r *jsonstream.Reader, ok bool) {
	if contentType == "" {
		return jsonstream.NewElements(body, maxBytes).Unchecked(), true
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	switch {
	case err != nil || charset != "" && !isUTF8(charset):
		return nil, false
	case mediaType == arrayType:
		return jsonstream.NewElements(body, maxBytes).Unchecked(), true
	case slices.Contains(ndjsonTypes, mediaType):
		return jsonstream.New(body, maxBytes).Unchecked(), true
	}
	return nil, false
}
