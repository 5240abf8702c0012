package framing

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// Form reads the parts of an HTML form, multipart/form-data or
// application/x-www-form-urlencoded, in the order in which they come. It is not safe
// for concurrent use.
type Form struct {
	maxParts, maxHeader, maxValue int64

	body  *budget
	next  func() (*Part, error)
	count int64
	err   error

	parts   *multipart.Reader // of multipart/form-data
	last    *mark             // the boundary after its last part
	current *content
	pairs   *bufio.Reader // of application/x-www-form-urlencoded
}

// Part is a value or a file of a form. Reading it reads the request's body. It is
// valid until the next call of Form.Next.
type Part struct {
	Name        string // of the form's field
	File        bool   // a file, not a value
	FileName    string // of a file, without folders; may be empty
	ContentType string // as the client declares it; may be empty
	io.Reader
}

// FormLimits bounds forms. Zero means the default, negative no limit.
type FormLimits struct {
	Parts       int   // default 1000
	HeaderBytes int64 // of each part, roughly; default 16 KiB
	ValueBytes  int64 // of each part that is not a file; default 1 MiB
	TotalBytes  int64 // of the body; default 32 MiB
}

// FormError is an error in a form.
type FormError struct {
	Part     string // the name of the part, or empty
	Problem  string
	TooLarge bool // a limit is exceeded
}

// Error implements error.
func (e *FormError) Error() string {
	if e.Part == "" {
		return e.Problem
	}
	return fmt.Sprintf("part %q: %s", e.Part, e.Problem)
}

// NewForm returns a Form of a request's body. ok is false if the content type is none
// of a form.
func NewForm(body io.Reader, contentType string, limits FormLimits) (f *Form, ok bool, err error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	f = &Form{
		maxParts:  limitOf(int64(limits.Parts), 1000),
		maxHeader: limitOf(limits.HeaderBytes, 16<<10),
		maxValue:  limitOf(limits.ValueBytes, 1<<20),
	}
	total := limitOf(limits.TotalBytes, 32<<20)
	f.body = &budget{in: body, total: total, left: total, allowed: unlimited}
	switch mediaType {
	case "multipart/form-data":
		boundary := params["boundary"]
		if err != nil || boundary == "" || len(boundary) > 70 { // RFC 2046
			return nil, true, &FormError{Problem: "the content type multipart/form-data has no valid boundary"}
		}
		f.last = newMark(f.body, "\n--"+boundary+"--")
		f.parts, f.next = multipart.NewReader(f.last, boundary), f.nextPart
	case "application/x-www-form-urlencoded":
		if charset := params["charset"]; err != nil || charset != "" && !isUTF8(charset) {
			return nil, true, &FormError{Problem: "the form is not UTF-8"}
		}
		f.pairs, f.next = bufio.NewReader(f.body), f.nextPair
	default:
		return nil, false, nil
	}
	return f, true, nil
}

// unlimited is more bytes than any body has.
const unlimited = 1 << 62

func limitOf(limit, otherwise int64) int64 {
	switch {
	case limit == 0:
		return otherwise
	case limit < 0:
		return unlimited
	}
	return limit
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// Next returns the next part, or io.EOF after the last one. The other errors of Next,
// and of reading a part, are *FormErrors and errors of the body. After an error Next
// returns it again.
func (f *Form) Next() (*Part, error) {
	if f.err != nil {
		return nil, f.err
	}
	part, err := f.next()
	switch {
	case err == io.EOF:
	case err != nil:
		err = f.explain("", err)
	case f.count == f.maxParts:
		err = &FormError{Problem: fmt.Sprintf("the form has more than %d parts", f.maxParts), TooLarge: true}
	}
	if f.err = err; err != nil {
		return nil, err
	}
	f.count++
	return part, nil
}

// explain returns the error of the body, if that is what is wrong, or a FormError.
func (f *Form) explain(part string, err error) error {
	var ours *FormError
	switch {
	case f.body.err != nil:
		return f.body.err
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &FormError{Part: part, Problem: "the body ends inside the form"}
	case errors.Is(err, bufio.ErrBufferFull):
		return &FormError{Problem: "the body does not begin with the boundary that the content type names"}
	}
	return &FormError{Part: part, Problem: strings.TrimPrefix(err.Error(), "multipart: ")}
}

// nextPart returns the next part of multipart/form-data.
func (f *Form) nextPart() (*Part, error) {
	if err := f.skipRest(); err != nil {
		return nil, err
	}
	// The limits of mime/multipart itself are 10 MB and 10,000 lines.
	f.body.allow(f.maxHeader, "the header of a part")
	raw, err := f.parts.NextPart()
	f.body.allow(unlimited, "")
	if err == io.EOF && !f.last.found {
		err = io.ErrUnexpectedEOF // mime/multipart does not tell a header that is cut off
	}
	if err != nil {
		return nil, err
	}
	disposition, params, err := mime.ParseMediaType(raw.Header.Get("Content-Disposition"))
	if err != nil || disposition != "form-data" || params["name"] == "" {
		return nil, &FormError{Problem: "a part has no name: it needs the header Content-Disposition: form-data; name=\"...\""}
	}
	part := &Part{Name: params["name"], FileName: raw.FileName(), ContentType: raw.Header.Get("Content-Type")}
	_, part.File = params["filename"]
	content := &content{form: f, name: part.Name, in: raw, left: unlimited}
	if !part.File {
		content.left = f.maxValue
	}
	part.Reader, f.current = content, content
	return part, nil
}

// skipRest reads the current part to its end.
func (f *Form) skipRest() error {
	if f.current == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, f.current.in)
	return err
}

// content reads a part of multipart/form-data.
type content struct {
	form *Form
	name string
	in   io.Reader
	left int64
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.in.Read(p[:min(int64(len(p)), c.left+1)])
	if c.left -= int64(n); c.left < 0 {
		return 0, tooLong(c.name, c.form.maxValue)
	}
	if err != nil && err != io.EOF {
		err = c.form.explain(c.name, err)
	}
	return n, err
}

func tooLong(name string, limit int64) error {
	return &FormError{Part: name, Problem: fmt.Sprintf("the value is longer than %d bytes", limit), TooLarge: true}
}

// nextPair returns the next part of application/x-www-form-urlencoded.
func (f *Form) nextPair() (*Part, error) {
	for {
		f.body.allow(f.maxHeader+min(3*f.maxValue, unlimited/2), "a value, with its name,")
		pair, err := f.pairs.ReadString('&')
		if err != nil && (err != io.EOF || f.body.err != nil) {
			return nil, err
		}
		if pair = strings.TrimSuffix(pair, "&"); pair != "" {
			return f.pair(pair)
		}
		if err == io.EOF {
			return nil, io.EOF
		}
	}
}

// pair parses name=value.
func (f *Form) pair(text string) (*Part, error) {
	rawName, rawValue, _ := strings.Cut(text, "=")
	name, err := url.QueryUnescape(rawName)
	switch {
	case err != nil:
		return nil, &FormError{Problem: "the name of a value: " + err.Error()}
	case name == "":
		return nil, &FormError{Problem: "a value has no name"}
	case strings.Contains(text, ";"):
		return nil, &FormError{Part: name, Problem: "a semicolon must be written as %3B"}
	}
	value, err := url.QueryUnescape(rawValue)
	switch {
	case err != nil:
		return nil, &FormError{Part: name, Problem: err.Error()}
	case int64(len(value)) > f.maxValue:
		return nil, tooLong(name, f.maxValue)
	}
	return &Part{Name: name, Reader: strings.NewReader(value)}, nil
}

// budget reads a body up to its limits.
type budget struct {
	in          io.Reader
	total, left int64 // of the whole body

	allowed, limit int64  // of what is being read
	what           string // it is

	err error // of in, except io.EOF, or that a limit is exceeded
}

// readAhead is more than the readers of a body buffer.
const readAhead = 8 << 10

// allow bounds what is read from now on.
func (b *budget) allow(limit int64, what string) {
	b.allowed, b.limit, b.what = limit+readAhead, limit, what
}

func (b *budget) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left+1, b.allowed+1)])
	b.left -= int64(n)
	b.allowed -= int64(n)
	switch {
	case b.left < 0:
		err = &FormError{Problem: fmt.Sprintf("the form is larger than %d bytes", b.total), TooLarge: true}
	case b.allowed < 0:
		err = &FormError{Problem: fmt.Sprintf("%s is larger than %d bytes", b.what, b.limit), TooLarge: true}
	}
	if err != io.EOF {
		b.err = err
	}
	return n, err
}
