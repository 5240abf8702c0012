package webfront

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// grpc-web-text is gRPC-Web in base64, for browsers that cannot stream bytes. connect
// does not speak it. Requests and responses are translated on the way, as they come.

const (
	webType  = "application/grpc-web"
	textType = "application/grpc-web-text"

	textStep = 4 << 10 // how many characters are translated at once
)

// textWriter is the http.ResponseWriter of a call of grpc-web-text. It writes base64.
type textWriter struct {
	http.ResponseWriter

	began   bool
	pending [3]byte // that are not a whole group yet
	n       int
	buf     [textStep]byte
}

// newTextWriter returns nil for a request whose response is not grpc-web-text.
func newTextWriter(w http.ResponseWriter, r *http.Request) *textWriter {
	if !isText(mediaType(r)) {
		return nil
	}
	return &textWriter{ResponseWriter: w}
}

func isText(content string) bool {
	rest, ok := strings.CutPrefix(content, textType)
	return ok && (rest == "" || rest[0] == '+')
}

// binary returns the request as gRPC-Web without base64.
func (t *textWriter) binary(r *http.Request) *http.Request {
	out := new(http.Request)
	*out = *r
	out.Header = r.Header.Clone()
	out.Header.Set("Content-Type", webType+mediaType(r)[len(textType):])
	out.Body = &textReader{body: r.Body}
	out.ContentLength = -1
	return out
}

// Unwrap is for http.ResponseController.
func (t *textWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (t *textWriter) WriteHeader(code int) {
	t.begin()
	t.ResponseWriter.WriteHeader(code)
}

// begin says in the header what the body is.
func (t *textWriter) begin() {
	if t.began {
		return
	}
	t.began = true
	h := t.Header()
	if types := h["Content-Type"]; len(types) > 0 && strings.HasPrefix(types[0], webType) {
		h["Content-Type"] = []string{textType + types[0][len(webType):]}
	}
	delete(h, "Content-Length")
}

// Write implements http.ResponseWriter.
func (t *textWriter) Write(p []byte) (int, error) {
	t.begin()
	total := len(p)
	if t.n > 0 {
		taken := copy(t.pending[t.n:], p)
		t.n, p = t.n+taken, p[taken:]
		if t.n < len(t.pending) {
			return total, nil
		}
		if err := t.encode(t.pending[:]); err != nil {
			return 0, err
		}
		t.n = 0
	}
	whole := len(p) - len(p)%len(t.pending)
	if err := t.encode(p[:whole]); err != nil {
		return 0, err
	}
	t.n = copy(t.pending[:], p[whole:])
	return total, nil
}

func (t *textWriter) encode(p []byte) error {
	const step = textStep / 4 * 3
	for len(p) > 0 {
		part := p[:min(len(p), step)]
		p = p[len(part):]
		base64.StdEncoding.Encode(t.buf[:], part)
		if _, err := t.ResponseWriter.Write(t.buf[:base64.StdEncoding.EncodedLen(len(part))]); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is pending, with padding.
func (t *textWriter) finish() {
	if t.n > 0 {
		_ = t.encode(t.pending[:t.n]) // the next Write reports it too
		t.n = 0
	}
}

// Flush implements http.Flusher. What has been written is padded, so that a reader can
// decode it: the base64 text is one of several parts.
func (t *textWriter) Flush() {
	t.begin()
	t.finish()
	_ = http.NewResponseController(t.ResponseWriter).Flush()
}

// end writes what is pending when the call has ended.
func (t *textWriter) end() { t.finish() }

// textReader decodes the body of a request: base64 in one or several parts, each of
// which may be padded.
type textReader struct {
	body io.ReadCloser
	err  error // of body

	group [4]byte // characters that are not a whole group yet
	n     int
	buf   [textStep]byte
	text  []byte // in buf, not decoded yet
	out   [textStep / 4 * 3]byte
	ready []byte // in out, decoded
}

// Close implements io.Closer.
func (t *textReader) Close() error { return t.body.Close() }

// Read implements io.Reader.
func (t *textReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(t.ready) > 0 {
			taken := copy(p[n:], t.ready)
			n, t.ready = n+taken, t.ready[taken:]
			continue
		}
		if len(t.text) == 0 && (n > 0 || !t.fill()) {
			break
		}
		if err := t.decode(); err != nil {
			return n, err
		}
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, t.end()
}

// fill reads from the body. It reports whether there is text.
func (t *textReader) fill() bool {
	for t.err == nil && len(t.text) == 0 {
		var n int
		n, t.err = t.body.Read(t.buf[:])
		t.text = t.buf[:n]
	}
	return len(t.text) > 0
}

// end returns the error at the end of the body.
func (t *textReader) end() error {
	if t.err == io.EOF && t.n > 0 {
		return io.ErrUnexpectedEOF
	}
	return t.err
}

// decode decodes the next part of the text that is of whole groups.
func (t *textReader) decode() error {
	part := t.text
	if t.n > 0 || len(part) < len(t.group) {
		taken := copy(t.group[t.n:], t.text)
		t.n, t.text = t.n+taken, t.text[taken:]
		if t.n < len(t.group) {
			return nil
		}
		t.n, part = 0, t.group[:]
	} else {
		part = part[:len(part)/len(t.group)*len(t.group)]
		if i := bytes.IndexByte(part, '='); i >= 0 { // the end of what was encoded at once
			part = part[:(i/len(t.group)+1)*len(t.group)]
		}
		t.text = t.text[len(part):]
	}
	n, err := base64.StdEncoding.Decode(t.out[:], part)
	if err == nil && bytes.ContainsAny(part, "\r\n") { // which package base64 skips
		err = base64.CorruptInputError(0)
	}
	if err != nil {
		t.err, t.text = err, nil
		return err
	}
	t.ready = t.out[:n]
	return nil
}
