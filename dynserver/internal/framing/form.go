package framing

import "io"

// Form reads the parts of an HTML form: multipart/form-data or
// application/x-www-form-urlencoded.
type Form struct{}

// Part is a value or a file of a form. Reading it reads the request's body. It is valid until the
// next call of Form.Next.
type Part struct {
	Name        string // of the form's field
	File        bool   // a file; otherwise a value
	FileName    string // of a file, without folders; may be empty
	ContentType string // as the client declares it; may be empty
	io.Reader
}

// FormLimits bounds what a form may hold. Zero means the default.
type FormLimits struct {
	Parts       int   // default 1000
	HeaderBytes int   // of each part, default 16 KiB
	ValueBytes  int64 // of each part that is not a file, default 1 MiB
	FileBytes   int64 // of each file, default as ValueBytes; negative: no limit
	TotalBytes  int64 // of the body, default 32 MiB; negative: no limit
}

// NewForm returns a reader of a request's body. ok is false if the content type is
// no form's.
func NewForm(body io.Reader, contentType string, limits FormLimits) (f *Form, ok bool, err error) {
	panic("not written yet")
}

// Next returns the next part, or io.EOF after the last one. Other errors of Next and of parts are
// *FormError, or errors of the body.
func (f *Form) Next() (*Part, error) { panic("not written yet") }

// FormError is an error in a form.
type FormError struct {
	Part     string // the name of the part; empty if the form itself is broken
	Problem  string
	TooLarge bool // a limit was exceeded
}

func (e *FormError) Error() string { panic("not written yet") }
