package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// readForm returns the parts of a form as text.
func readForm(body io.Reader, contentType string, limits FormLimits) (parts []string, err error) {
	f, ok, err := NewForm(body, contentType, limits)
	if err != nil || !ok {
		return nil, err
	}
	for {
		part, err := f.Next()
		if err != nil {
			if _, again := f.Next(); again != err {
				return parts, errors.New("the error changed")
			}
			return parts, err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return parts, err
		}
		text := fmt.Sprintf("%s=%s", part.Name, content)
		if part.File {
			text += fmt.Sprintf(" (%q, %s)", part.FileName, part.ContentType)
		}
		parts = append(parts, text)
	}
}

const (
	urlencoded = "application/x-www-form-urlencoded"
	formData   = "multipart/form-data; boundary=B"
)

// formOf returns the body of a form with the boundary B.
func formOf(parts ...string) string {
	return strings.ReplaceAll("--B\n"+strings.Join(parts, "\n--B\n")+"\n--B--\n", "\n", "\r\n")
}

func TestForm(t *testing.T) {
	for _, test := range []struct {
		contentType, body string
		want              []string
	}{
		{urlencoded, "", nil},
		{urlencoded, "a=1&b=2&a=%263+4%2b&c&&d=&é=ü", []string{"a=1", "b=2", "a=&3 4+", "c=", "d=", "é=ü"}},
		{urlencoded + "; charset=UTF-8", "a=1&", []string{"a=1"}},
		{formData, "--B--\r\n", nil},
		{formData, formOf(
			"Content-Disposition: form-data; name=\"a.b\"\n\n1\n2",
			"Content-Disposition: form-data; name=file; filename=\"/tmp/x.png\"\nContent-Type: image/png\n\n\x89PNG",
			"content-disposition: form-data; name=\"none\"; filename=\"\"\nContent-Type: application/octet-stream\n\n",
			"Content-Disposition: form-data; name=\"q\"\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A9",
		), []string{"a.b=1\r\n2", "file=\x89PNG (\"x.png\", image/png)", `none= ("", application/octet-stream)`, "q=é"}},
		{"multipart/form-data; boundary=\"a b\"", "ignored\r\n--a b\r\nContent-Disposition: form-data; name=x\r\n\r\ny\r\n--a b--", []string{"x=y"}},
	} {
		for name, body := range map[string]io.Reader{"whole": strings.NewReader(test.body), "bytes": iotest.OneByteReader(strings.NewReader(test.body))} {
			got, err := readForm(body, test.contentType, FormLimits{})
			if err != io.EOF || !slices.Equal(got, test.want) {
				t.Errorf("%q, %s: got %q, %v, want %q", test.body, name, got, err, test.want)
			}
		}
	}
}

func TestFormErrors(t *testing.T) {
	header := "Content-Disposition: form-data; name=a\n"
	many := FormLimits{Parts: 2, HeaderBytes: 100, ValueBytes: 10, TotalBytes: 100_000}
	for _, test := range []struct {
		contentType, body, want string
		tooLarge                bool
	}{
		{"multipart/form-data", "", "the content type multipart/form-data has no valid boundary", false},
		{"multipart/form-data; boundary=" + strings.Repeat("x", 71), "", "the content type multipart/form-data has no valid boundary", false},
		{urlencoded + ";charset=latin1", "", "the form is not UTF-8", false},
		{urlencoded, "a=%zz", `part "a": invalid URL escape "%zz"`, false},
		{urlencoded, "%a=1", `the name of a value: invalid URL escape "%a"`, false},
		{urlencoded, "=1", "a value has no name", false},
		{urlencoded, "a=1;b=2", `part "a": a semicolon must be written as %3B`, false},
		{urlencoded, "a=1&b=2&c=3", "the form has more than 2 parts", true},
		{urlencoded, "a=12345678901", `part "a": the value is longer than 10 bytes`, true},
		{urlencoded, "a=" + strings.Repeat("1", 9000), "a value, with its name, is larger than 130 bytes", true},
		{formData, "", "the body ends inside the form", false},
		{formData, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1", `part "a": the body ends inside the form`, false},
		{formData, "--B\r\nContent-Disposition: form-data; na", "the body ends inside the form", false},
		{formData, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=b", "the body ends inside the form", false},
		{formData, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B\r\n", "the body ends inside the form", false},
		{formData, formOf("X: y\n\n1"), "a part has no name: it needs the header Content-Disposition: form-data; name=\"...\"", false},
		{formData, formOf("Content-Disposition: attachment; name=x\n\n1"), "a part has no name: it needs the header Content-Disposition: form-data; name=\"...\"", false},
		{formData, formOf("no colon\n\n1"), `malformed MIME header: missing colon: "no colon"`, false},
		{formData, formOf(header+"\n1", header+"\n2", header+"\n3"), "the form has more than 2 parts", true},
		{formData, formOf(header + "\n12345678901"), `part "a": the value is longer than 10 bytes`, true},
		{formData, formOf(header + "X: " + strings.Repeat("x", 10_000) + "\n\n1"), "the header of a part is larger than 100 bytes", true},
		{formData, strings.Repeat("x", 20_000), "the body does not begin with the boundary that the content type names", false},
		{formData, strings.Repeat("x\n", 20_000), "the header of a part is larger than 100 bytes", true},
		{formData, formOf("Content-Disposition: form-data; name=a; filename=f\n\n" + strings.Repeat("x", 100_000)), "the form is larger than 100000 bytes", true},
	} {
		_, err := readForm(strings.NewReader(test.body), test.contentType, many)
		var form *FormError
		if !errors.As(err, &form) || err.Error() != test.want || form.TooLarge != test.tooLarge {
			t.Errorf("%.60q: got %v, want %s", test.body, err, test.want)
		}
	}
	if _, ok, err := NewForm(nil, "application/json", FormLimits{}); ok || err != nil {
		t.Errorf("got %t, %v for JSON", ok, err)
	}
	broken := errors.New("broken")
	for _, contentType := range []string{urlencoded, formData} {
		if _, err := readForm(iotest.ErrReader(broken), contentType, FormLimits{}); err != broken {
			t.Errorf("got %v for a broken body", err)
		}
	}
}

// TestFormStreams reads a file that is larger than what limits and memory hold, and
// leaves it unread.
func TestFormStreams(t *testing.T) {
	const size = 64 << 20
	body := io.MultiReader(
		strings.NewReader("--B\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n"), io.LimitReader(zeros{}, size),
		strings.NewReader("\r\n--B\r\nContent-Disposition: form-data; name=b; filename=f\r\n\r\n"), io.LimitReader(zeros{}, size),
		strings.NewReader("\r\n--B\r\nContent-Disposition: form-data; name=c\r\n\r\n1\r\n--B--\r\n"))
	f, _, err := NewForm(body, formData, FormLimits{TotalBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	first, err := f.Next()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, first); n != size || err != nil {
		t.Fatal(n, err)
	}
	if _, err := f.Next(); err != nil {
		t.Fatal(err)
	}
	if last, err := f.Next(); err != nil || last.Name != "c" {
		t.Fatal(last, err)
	}
	if _, err := f.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func FuzzForm(f *testing.F) {
	f.Add([]byte("a=1&b=%20&c"), false)
	f.Add([]byte(formOf("Content-Disposition: form-data; name=a\n\n1", "Content-Disposition: form-data; name=a; filename=f\n\n1")), true)
	f.Fuzz(func(t *testing.T, body []byte, multi bool) {
		contentType := urlencoded
		if multi {
			contentType = formData
		}
		parts, err := readForm(bytes.NewReader(body), contentType, FormLimits{Parts: -1})
		slow, slowErr := readForm(iotest.OneByteReader(bytes.NewReader(body)), contentType, FormLimits{Parts: -1})
		if !slices.Equal(parts, slow) || (err == io.EOF) != (slowErr == io.EOF) {
			t.Fatalf("got %q, %v; byte by byte %q, %v", parts, err, slow, slowErr)
		}
		if err != io.EOF {
			return
		}
		count := 0
		if multi {
			form, err := multipart.NewReader(bytes.NewReader(body), "B").ReadForm(1 << 20)
			if err != nil {
				t.Skip(err)
			}
			for _, values := range form.Value {
				count += len(values)
			}
			for _, files := range form.File {
				count += len(files)
			}
		} else {
			values, err := url.ParseQuery(string(body))
			if err != nil {
				t.Fatalf("got %q, but %v", parts, err)
			}
			for _, list := range values {
				count += len(list)
			}
		}
		if count != len(parts) {
			t.Fatalf("got %q, want %d parts", parts, count)
		}
	})
}

func TestMark(t *testing.T) {
	for in, want := range map[string]bool{
		"--B--": true, "x\n--B--": true, "x\r\n--B--\r\nmore": true, "x--B--": false, "\n--B-": false, "": false, "\n\n--B-\n--B--": true,
		strings.Repeat("x", 100) + "\n--B--": true, "--B--" + strings.Repeat("x", 100): true,
	} {
		for name, read := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "half": iotest.HalfReader} {
			m := newMark(read(strings.NewReader(in)), "\n--B--")
			if got, err := io.ReadAll(m); string(got) != in || err != nil || m.found != want {
				t.Errorf("%q, %s: %t", in, name, m.found)
			}
		}
	}
}
