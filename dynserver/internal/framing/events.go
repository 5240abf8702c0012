package framing

import (
	"bytes"
	"strconv"
	"time"
)

// EventFields says where the fields of Server-Sent Events come from.
type EventFields struct {
	// ID and Event name the members of the documents whose values become the fields
	// id and event. Members of members are named with dots: "metadata.version".
	// Empty for none.
	ID, Event string

	// Retry is sent at the beginning of the stream if it is positive.
	Retry time.Duration
}

// EventFieldsOf returns the fields that a handler asks for by the keys sse-id,
// sse-event (names of members) and sse-retry (milliseconds) of the metadata of its
// response. get returns the value of a key, or "".
func EventFieldsOf(get func(key string) string) EventFields {
	fields := EventFields{ID: get("sse-id"), Event: get("sse-event")}
	if ms, err := strconv.ParseInt(get("sse-retry"), 10, 32); err == nil && ms > 0 {
		fields.Retry = time.Duration(ms) * time.Millisecond
	}
	return fields
}

// event is the fields of an event besides its data.
type event struct{ id, name string }

// of returns the fields of the event of a document.
func (f EventFields) of(doc []byte) event {
	var e event
	if f.ID != "" {
		e.id, _ = member(doc, f.ID)
	}
	if f.Event != "" {
		e.name, _ = member(doc, f.Event)
	}
	return e
}

// event appends an event.
func (w *Writer) event(e event, data []byte) {
	w.field("event: ", e.name)
	w.field("id: ", e.id)
	for line := range bytes.FieldsFuncSeq(data, func(r rune) bool { return r == '\n' || r == '\r' }) {
		w.buf = append(append(append(w.buf, "data: "...), line...), '\n')
	}
	w.buf = append(w.buf, '\n')
}

// field appends a field of an event. A value that no field can hold is left out.
func (w *Writer) field(name, value string) {
	for i := range len(value) {
		if c := value[i]; c == '\n' || c == '\r' || c == 0 {
			return
		}
	}
	if value != "" {
		w.buf = append(append(append(w.buf, name...), value...), '\n')
	}
}

// retry appends the field retry.
func (w *Writer) retry() {
	if ms := w.fields.Retry.Milliseconds(); ms > 0 {
		w.buf = append(strconv.AppendInt(append(w.buf, "retry: "...), ms, 10), "\n\n"...)
	}
}

// keepAlive writes a comment. It runs in the goroutine of a timer, which send sets
// again and end stops.
func (w *Writer) keepAlive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.err != nil {
		return
	}
	w.begin()
	w.buf = append(w.buf, ":\n\n"...)
	_ = w.send(true) // Message returns it
}
