// Package jsonstream reads a stream of JSON documents, and returns each as soon as it
// is complete.
package jsonstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// Reader reads a stream of JSON documents. It is not safe for concurrent use.
type Reader struct {
	in    io.Reader
	inErr error // the error that in returned last
	max   int

	buf          []byte // what was read and not returned yet
	started      bool
	array        arrayState
	unchecked    bool
	document     int // the number of the current one, from 1
	line, column int // of buf[0], from 1

	docLine, docColumn int // of the document returned last
	err                error
}

// arrayState says what a Reader knows about an array around the documents.
type arrayState int

const (
	noArray    arrayState = iota
	maybeArray            // at the start of the input
	inArray
	afterArray
)

// New returns a Reader of the documents in r. A document of more than maxBytes bytes
// is an error. The Reader takes at most a few times maxBytes of memory.
func New(r io.Reader, maxBytes int) *Reader {
	return &Reader{in: r, max: maxBytes, line: 1, column: 1}
}

// NewElements is like New, but if the input begins with an array, then the documents are the
// elements of that array, and nothing may follow it.
func NewElements(r io.Reader, maxBytes int) *Reader {
	elements := New(r, maxBytes)
	elements.array = maybeArray
	return elements
}

// Unchecked makes Next return objects and lists whose brackets match without checking
// that they are JSON. It is for callers that check them anyway.
func (r *Reader) Unchecked() *Reader {
	r.unchecked = true
	return r
}

// Next returns the next document, or io.EOF when there are no more. The caller may
// keep the document.
//
// Documents are UTF-8. They are separated by whitespace, by the record separators of
// RFC 7464, or by nothing. A byte order mark may precede the first one. An object or
// list is returned when its last bracket has been read, any other value when its
// end is known.
//
// Every other error is an [*Error] that says which document is wrong, where in the
// input, and why. After an error Next returns it again.
func (r *Reader) Next() (json.RawMessage, error) {
	if r.err != nil {
		return nil, r.err
	}
	var doc json.RawMessage
	if r.err = r.toDocument(); r.err == nil {
		doc, r.err = r.read()
	}
	return doc, r.err
}

// Position returns the number of the document that Next returned last, from 1, and
// the line and column at which it begins.
func (r *Reader) Position() (document, line, column int) {
	return r.document, r.docLine, r.docColumn
}

// read returns the document at the start of buf.
func (r *Reader) read() (json.RawMessage, error) {
	r.document++
	r.docLine, r.docColumn = r.line, r.column
	if end, ok := r.bracketed(); ok && (r.unchecked || json.Valid(r.buf[:end])) {
		doc := r.buf[:end:end]
		r.advance(end)
		return json.RawMessage(doc), nil
	}
	// Other values, and the errors.
	// Each document has a decoder of its own. One for all would keep the
	// whitespace between documents and scan it again after each read.
	decoder := json.NewDecoder(&feed{reader: r})
	var doc json.RawMessage
	err := decoder.Decode(&doc)
	if err == nil && len(doc) > r.max {
		err = errTooLarge
	}
	if err != nil {
		return nil, r.explain(err)
	}
	r.advance(int(decoder.InputOffset()))
	return doc, nil
}

var errTooLarge = errors.New("too large")

// feed reads buf, and then from in, for the decoder of one document.
type feed struct {
	reader *Reader
	pos    int
}

func (f *feed) Read(p []byte) (int, error) {
	r := f.reader
	if f.pos > r.max { // the end of a number is known only from the byte after it
		return 0, errTooLarge
	}
	if f.pos == len(r.buf) {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p[:min(len(p), r.max+1-f.pos)], r.buf[f.pos:])
	f.pos += n
	return n, nil
}

// chunk is the minimum size of a read.
const chunk = 4096

// fill reads more into buf, or returns the error of the input.
func (r *Reader) fill() error {
	if r.inErr != nil {
		return r.inErr
	}
	r.buf = slices.Grow(r.buf, chunk)
	n, err := r.in.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.inErr = r.buf[:len(r.buf)+n], err
	if n == 0 {
		return err
	}
	return nil
}

// toDocument skips to the start of the next document.
func (r *Reader) toDocument() error {
	if !r.started {
		if err := r.skipMark(); err != nil {
			return err
		}
		r.started = true
	}
	if err := r.skipSpace(); err != nil {
		return err
	}
	first := false
	if r.array == maybeArray {
		r.array = noArray
		if r.buf[0] == '[' {
			r.array, first = inArray, true
			if err := r.skipByte(); err != nil {
				return err
			}
		}
	}
	if r.array == inArray {
		return r.toElement(first)
	}
	return nil
}

// toElement skips to the next element of the array.
func (r *Reader) toElement(first bool) error {
	switch c := r.buf[0]; {
	case c == ']':
		r.array = afterArray
		if err := r.skipByte(); err != nil {
			return err // io.EOF
		}
		return r.unexpected("expected nothing after the array")
	case first:
		return nil
	case c == ',':
		return r.skipByte()
	}
	return r.unexpected(fmt.Sprintf("expected a comma or a closing bracket after document %d", r.document))
}

// skipByte skips a byte and the whitespace after it.
func (r *Reader) skipByte() error {
	r.advance(1)
	return r.skipSpace()
}

// skipSpace skips whitespace. It returns io.EOF if nothing else follows and the
// input may end there.
func (r *Reader) skipSpace() error {
	for {
		i := slices.IndexFunc(r.buf, func(c byte) bool { return !r.isSpace(c) })
		if i >= 0 {
			r.advance(i)
			return nil
		}
		r.advance(len(r.buf))
		switch err := r.fill(); {
		case err == io.EOF && r.array == inArray:
			return r.between("the input ends inside the array")
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return &Error{Err: err, text: fmt.Sprintf("after document %d: %s", r.document, err)}
		}
	}
}

func (r *Reader) isSpace(c byte) bool {
	const recordSeparator = 0x1e
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == recordSeparator && r.array < inArray
}

// skipMark skips a byte order mark.
func (r *Reader) skipMark() error {
	const mark = "\xef\xbb\xbf"
	for len(r.buf) < len(mark) && string(r.buf) == mark[:len(r.buf)] && r.fill() == nil {
	}
	switch {
	case len(r.buf) >= len(mark) && string(r.buf[:len(mark)]) == mark:
		r.buf = r.buf[len(mark):]
	case len(r.buf) > 0 && r.buf[0] >= 0xfe: // a byte order mark of UTF-16, never valid UTF-8
		return &Error{Line: 1, Column: 1, text: "the input is not UTF-8 but, by its first byte, UTF-16"}
	}
	return nil
}

// advance drops the first n bytes of buf.
func (r *Reader) advance(n int) {
	r.line, r.column = r.position(n)
	r.buf = r.buf[n:]
}

// position returns the line and column of buf[n].
func (r *Reader) position(n int) (line, column int) {
	line, column = r.line, r.column
	before := r.buf[:n]
	if last := bytes.LastIndexByte(before, '\n'); last >= 0 {
		line += bytes.Count(before, []byte{'\n'})
		before, column = before[last+1:], 1
	}
	return line, column + utf8.RuneCount(before)
}
