package framing

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// The defaults of Options.
const (
	DefaultKeepAlive    = 15 * time.Second
	DefaultWriteTimeout = time.Minute
)

// Output is where a Writer writes to.
type Output struct {
	io.Writer

	// Flush sends what was written. A Writer calls it after each document.
	Flush func() error

	// Begin is called once, before the first byte is written, to set the status and
	// header of the response. What it returns is for streams of Events. These may call
	// it from another goroutine, when the time for a keep-alive comes before the first
	// document does, but never during another method of the Writer.
	Begin func() EventFields

	// Abort makes a blocked Write or Flush return an error. It may be nil.
	Abort func()
}

// ResponseOutput returns an Output that writes to an HTTP response.
func ResponseOutput(w http.ResponseWriter, begin func() EventFields) Output {
	control := http.NewResponseController(w)
	return Output{
		Writer: w,
		Flush: func() error {
			if err := control.Flush(); !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
			return nil // a middleware hides it; the stream arrives late but whole
		},
		Begin: begin,
		// A deadline for each write would be simpler, but with HTTP/2 a deadline also
		// ends a stream that nothing is written to.
		Abort: func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) },
	}
}

// Options are the settings of a Writer. The zero value means the defaults.
type Options struct {
	// KeepAlive is the time after which a quiet stream of Events gets a comment.
	// Negative means never.
	KeepAlive time.Duration

	// WriteTimeout is the time within which the caller must take a document.
	// Negative means that there is no limit.
	WriteTimeout time.Duration
}

// SetHeader sets the header of a streamed response: its content type, and what
// keeps caches and proxies from storing it, compressing it or holding it back.
func SetHeader(h http.Header, mediaType string) {
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx
}

// Writer writes the documents of one streamed response. One goroutine at a time may
// use it. A stream of Events also has a timer, which writes comments between
// documents; it ends with Fail or End, one of which must be called.
type Writer struct {
	out     Output
	format  Format
	fields  EventFields
	timeout time.Duration
	quiet   time.Duration // before a comment; 0 for none

	mu      sync.Mutex
	began   bool
	ended   bool
	wrote   bool // a document
	err     error
	buf     []byte
	comment *time.Timer

	stalled stall
}

// NewWriter returns a Writer.
func NewWriter(out Output, format Format, opts Options) *Writer {
	w := &Writer{out: out, format: format, timeout: orDefault(opts.WriteTimeout, DefaultWriteTimeout)}
	if w.out.Abort == nil {
		w.timeout = 0
	}
	if format == Events {
		if w.quiet = orDefault(opts.KeepAlive, DefaultKeepAlive); w.quiet > 0 {
			w.mu.Lock() // for the timer
			defer w.mu.Unlock()
			w.comment = time.AfterFunc(w.quiet, w.keepAlive)
		}
	}
	return w
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(d, 0)
}

// Begin sends the header, unless it has been sent.
func (w *Writer) Begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began || w.ended {
		return w.err
	}
	w.begin()
	return w.send(true)
}

// Message sends a document, which must be valid JSON. An error means that the
// stream is over; then Message returns it again.
func (w *Writer) Message(doc []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	w.begin()
	switch w.format {
	case Array:
		w.element(doc)
	case Events:
		w.event(w.fields.of(doc), doc)
	default:
		w.line(doc)
	}
	w.wrote = true
	return w.send(true)
}

// Fail ends the stream with an error: a google.rpc.Status in JSON. If the header
// has not been sent, Fail sends nothing and sent is false: the user answers with
// the HTTP status of the error.
func (w *Writer) Fail(status []byte) (sent bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.end() || !w.began {
		return w.began, w.err
	}
	failure := FailureDocument(status)
	switch w.format {
	case Array:
		w.element(failure)
		w.buf = append(w.buf, "]\n"...)
	case Events:
		w.event(event{name: "error"}, failure)
	default:
		w.line(failure)
	}
	return true, w.send(false)
}

// FailureDocument returns the document that reports an error in a stream.
func FailureDocument(status []byte) []byte {
	return append(append([]byte(`{"error":`), status...), '}')
}

// End ends the stream after its last document.
func (w *Writer) End() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.end() {
		return w.err
	}
	w.begin()
	switch {
	case w.format == Array && !w.wrote:
		w.buf = append(w.buf, "[]\n"...)
	case w.format == Array:
		w.buf = append(w.buf, "]\n"...)
	case w.format == Events:
		w.event(event{name: "end"}, []byte("{}"))
	}
	return w.send(false)
}

// begin makes the user set the header, once.
func (w *Writer) begin() {
	if w.began {
		return
	}
	w.began = true
	w.fields = w.out.Begin()
	if w.format == Events {
		w.retry()
	}
}

// end marks the stream as ended and stops its timer. It returns false if nothing can
// be written any more.
func (w *Writer) end() bool {
	if w.comment != nil {
		w.comment.Stop() // if it has fired, it finds ended
	}
	can := !w.ended && w.err == nil
	w.ended = true
	return can
}

// maxKept bounds the buffer that is kept between documents.
const maxKept = 64 << 10

// send writes buf.
func (w *Writer) send(flush bool) error {
	if w.timeout > 0 {
		w.stalled.begin(w.timeout, w.out.Abort)
		defer w.stalled.end()
	}
	if len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
	}
	if w.err == nil && flush {
		w.err = w.out.Flush()
	}
	if w.buf = w.buf[:0]; cap(w.buf) > maxKept {
		w.buf = nil
	}
	if w.comment != nil && !w.ended {
		w.comment.Reset(w.quiet)
	}
	return w.err
}

// line appends a line of NDJSON. Line breaks in a document can only be white space.
func (w *Writer) line(doc []byte) {
	start := len(w.buf)
	w.buf = append(w.buf, doc...)
	for i, c := range w.buf[start:] {
		if c == '\n' || c == '\r' {
			w.buf[start+i] = ' '
		}
	}
	w.buf = append(w.buf, '\n')
}

// element appends an element of an array. The comma precedes it, so that a reader
// has each element as soon as possible.
func (w *Writer) element(doc []byte) {
	if w.wrote {
		w.buf = append(w.buf, ",\n"...)
	} else {
		w.buf = append(w.buf, '[')
	}
	w.buf = append(w.buf, doc...)
}

// stall calls abort when a write takes too long.
type stall struct {
	timer *time.Timer

	mu      sync.Mutex
	writing bool
}

func (s *stall) begin(limit time.Duration, abort func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = true
	if s.timer != nil {
		s.timer.Reset(limit)
		return
	}
	s.timer = time.AfterFunc(limit, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.writing {
			abort()
		}
	})
}

func (s *stall) end() {
	s.timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
}
