package framing

import (
	"io"
	"net/http"
	"time"
)

// Writer writes the documents of one streamed response. Its methods may be called
// by one goroutine at a time.
type Writer struct{}

// Output is where a Writer writes to.
type Output struct {
	io.Writer

	// Flush sends what was written. It is called after every document.
	Flush func() error

	// Begin is called once, before the first byte is written. It sets the header of
	// the response. With format Events it may be called by a timer's goroutine,
	// though never during another method of the Writer.
	Begin func()

	// Deadline, if not nil, sets the time by which a write must have succeeded; the
	// zero Time removes it.
	Deadline func(time.Time) error
}

// Options are the settings of a Writer. The zero value is good.
type Options struct {
	// KeepAlive is the time after which a quiet stream of Events gets a comment;
	// default 15 seconds, negative for never.
	KeepAlive time.Duration

	// WriteTimeout is the time in which the caller must have taken a document;
	// default one minute, negative for none.
	WriteTimeout time.Duration

	// Fields are the settings of format Events.
	Fields EventFields
}

// EventFields says where the fields of Server-Sent Events come from.
type EventFields struct {
	// ID and Event are the names of the documents' members whose values become the
	// fields id and event. Members of members are named with dots. Empty for none.
	ID, Event string

	// Retry is sent once, at the beginning of the stream, if it is positive.
	Retry time.Duration
}

// EventFieldsOf returns the fields that a handler asks for by the metadata
// sse-id, sse-event (names of fields) and sse-retry (milliseconds) of its
// response header. get returns a key's value, or "".
func EventFieldsOf(get func(key string) string) EventFields { panic("not written yet") }

// SetHeader sets the headers of a streamed response: the content type, and those that keep
// caches and proxies from holding it back.
func SetHeader(h http.Header, mediaType string) { panic("not written yet") }

// NewWriter returns a Writer. Its user must call Fail or End.
func NewWriter(out Output, format Format, opts Options) *Writer { panic("not written yet") }

// Begin sends the header now, unless it has been sent.
func (w *Writer) Begin() error { panic("not written yet") }

// Message writes a document, which must be valid JSON, and flushes it. An error means that the stream is over.
func (w *Writer) Message(doc []byte) error { panic("not written yet") }

// Fail ends the stream with an error, a google.rpc.Status in JSON. If nothing was sent yet, it writes
// nothing and returns false: the user answers with the error's own HTTP status.
func (w *Writer) Fail(status []byte) (sent bool, err error) { panic("not written yet") }

// End ends the stream after its last document.
func (w *Writer) End() error { panic("not written yet") }
