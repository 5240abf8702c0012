package jsonstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dyngate/dyngate/internal/jsonstream"
)

// readAll returns the documents of an input and what it ended with.
func readAll(in io.Reader, maxBytes int) (docs []string, err error) {
	return drain(jsonstream.New(in, maxBytes))
}

func drain(r *jsonstream.Reader) (docs []string, err error) {
	for {
		doc, err := r.Next()
		if err != nil {
			if _, again := r.Next(); again != err {
				return docs, errors.New("the error changed")
			}
			return docs, err
		}
		docs = append(docs, string(doc))
	}
}

func TestDocuments(t *testing.T) {
	for in, want := range map[string][]string{
		"":                               nil,
		" \n\t\r ":                       nil,
		"{}":                             {"{}"},
		"\xef\xbb\xbf{}":                 {"{}"},
		"\xef\xbb\xbf":                   nil,
		`{"a":1}{"a":2}[3]`:              {`{"a":1}`, `{"a":2}`, `[3]`},
		"{\n \"a\" : 1 }\n\n{ }\n":       {"{\n \"a\" : 1 }", "{ }"},
		"1 2\n-3.5e1":                    {"1", "2", "-3.5e1"},
		`true null"x""y"1{}`:             {"true", "null", `"x"`, `"y"`, "1", "{}"},
		"\x1e{\"a\":1}\n\x1e2\n\x1e\x1e": {`{"a":1}`, "2"},
		`"\"}{"`:                         {`"\"}{"`},
	} {
		got, err := readAll(strings.NewReader(in), 100)
		if err != io.EOF || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for in, want := range map[string]string{
		`{"a":1}` + "\n  }":   "document 2, line 2:3: expected a value, found '}'",
		"{\n  a: 1}":          "document 1, line 2:3: expected a key in double quotes, found 'a'",
		`{"é" 1}`:             "document 1, line 1:6: expected a colon after the key, found '1'",
		`{“a”: 1}`:            "document 1, line 1:2: expected a key in double quotes, found '“'",
		`{"a":1,}`:            "document 1, line 1:8: expected a key in double quotes, found '}'",
		`{"a":1 "b":2}`:       `document 1, line 1:8: expected a comma or a closing brace, found '"'`,
		`[1 2]`:               "document 1, line 1:4: expected a comma or a closing bracket, found '2'",
		"[1}":                 "document 1, line 1:3: expected a comma or a closing bracket, found '}'",
		"{\"a\": \"b\n":       "document 1, line 1:9: expected a closing quote or an escape in the string, found '\\n'",
		`"\x"`:                `document 1, line 1:3: expected one of "\/bfnrtu after the backslash, found 'x'`,
		`"\u12g4"`:            `document 1, line 1:6: expected four hexadecimal digits after \u, found 'g'`,
		`1.x`:                 "document 1, line 1:3: expected a digit, found 'x'",
		`1e,`:                 "document 1, line 1:3: expected a digit, found ','",
		`-a`:                  "document 1, line 1:2: expected a digit, found 'a'",
		"tru e":               "document 1, line 1:4: unexpected ' ' in literal true (expecting 'e')",
		"hello":               "document 1, line 1:1: expected a value, found 'h'",
		"{\"a\":\x1e1}":       `document 1, line 1:6: expected a value, found '\x1e'`,
		"{\"a\":1\n\x1e{}":    `document 1, line 2:1: expected a comma or a closing brace, found '\x1e'`,
		"\xff\xfe{\x00}\x00":  "the input is not UTF-8 but, by its first byte, UTF-16",
		"\xef\xbb{}":          "document 1, line 1:1: expected a value, found '�'",
		"{} \xef\xbb\xbf":     `document 2, line 1:4: expected a value, found '\ufeff'`,
		"\xef\xbb\xbf{]":      "document 1, line 1:2: expected a key in double quotes, found ']'",
		"1\n\n{\"a\": [1,\n2": "document 2: the input ends inside a document that began at line 3:1",
		`"abc`:                "document 1: the input ends inside a document that began at line 1:1",
		"tru":                 "document 1: the input ends inside a document that began at line 1:1",
		"{}[1":                "document 2: the input ends inside a document that began at line 1:3",
		deep:                  "document 1, line 1:10001: the document is nested too deeply",
		`{} "` + strings.Repeat("x", 30_000) + `"`: "document 2, which begins at line 1:4, is larger than 25000 bytes",
	} {
		_, err := readAll(strings.NewReader(in), 25_000)
		if err == nil || err.Error() != want {
			t.Errorf("%.40q: got %q, want %q", in, err, want)
		}
	}
}

func TestLimit(t *testing.T) {
	for in, ok := range map[string]bool{
		"12345":     true,
		"12345 1":   true,
		"123456":    false,
		"123456 1":  false,
		`[1,2]`:     true,
		`[1,2][]`:   true,
		`[1,2,]`:    false,
		`[1, 2]`:    false,
		`"abc"`:     true,
		`"abcd"`:    false,
		"      1":   true,
		"1      ":   true,
		"[\n\n\n\n": false,
	} {
		if _, err := readAll(strings.NewReader(in), 5); (err == io.EOF) != ok {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// TestEndless reads without end what never becomes a document, or many.
func TestEndless(t *testing.T) {
	r := jsonstream.New(io.MultiReader(strings.NewReader("["), repeat("0,")), 1<<16)
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
	r = jsonstream.New(io.LimitReader(repeat(" "), 1<<22), 100)
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("got %v", err)
	}
	r = jsonstream.New(io.LimitReader(repeat("{}"), 1<<16), 100)
	for range 1 << 15 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
}

// repeat is an endless input.
type repeat string

func (s repeat) Read(p []byte) (int, error) {
	n := copy(p, s)
	for n+len(s) <= len(p) {
		n += copy(p[n:], s)
	}
	return n, nil
}

// TestAtOnce has a document before the writer goes on.
func TestAtOnce(t *testing.T) {
	in, out := io.Pipe()
	r := jsonstream.New(in, 100)
	for _, step := range []struct{ text, want string }{
		{`{"a":1}`, `{"a":1}`},
		{"\n[]", "[]"},
		{"7\n", "7"},
		{`"x" `, `"x"`},
		{"{}", "{}"},
	} {
		go func() { _, _ = io.WriteString(out, step.text) }()
		if got, err := r.Next(); string(got) != step.want || err != nil {
			t.Fatalf("%q: got %q, %v", step.text, got, err)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	for in, want := range map[string]string{
		"1 ":   "after document 1: broken",
		"1 {":  "document 2: broken",
		"{} 1": "document 2: broken",
	} {
		_, err := readAll(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)), 100)
		if !errors.Is(err, broken) || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

// TestUnchecked leaves the text between brackets to the caller.
func TestUnchecked(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1} [2]3`:     `[{"a":1} [2] 3] EOF`,
		`{a] [}`:           `[{a] [}] EOF`,
		`{"a":"]\"}"}{`:    `[{"a":"]\"}"}] document 2: the input ends inside a document that began at line 1:13`,
		"{\"a\": \"b\n\"}": `[] document 1, line 1:9: expected a closing quote or an escape in the string, found '\n'`,
		`{} x`:             `[{}] document 2, line 1:4: expected a value, found 'x'`,
		"{12345678}":       `[{12345678}] EOF`,
		"[12345678901]":    "[] document 1, which begins at line 1:1, is larger than 12 bytes",
	} {
		docs, err := drain(jsonstream.New(iotest.OneByteReader(strings.NewReader(in)), 12).Unchecked())
		if got := fmt.Sprintf("%s %v", docs, err); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		`{"a":1} [2,3]"x"`, "\xef\xbb\xbf1 2", "\x1e{}\n\x1e[]", "truefalse", "{\"a\":\n}", "\"\xe2\x80", "1e", "[1}", "\xff\xfe", "{“",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		docs, err := readAll(bytes.NewReader(in), len(in))
		for _, doc := range docs {
			if !json.Valid([]byte(doc)) {
				t.Fatalf("not JSON: %q", doc)
			}
		}
		slow, slowErr := readAll(iotest.OneByteReader(bytes.NewReader(in)), len(in))
		if !slices.Equal(docs, slow) || err.Error() != slowErr.Error() {
			t.Fatalf("got %q, %v; byte by byte %q, %v", docs, err, slow, slowErr)
		}
		if unchecked, uncheckedErr := drain(jsonstream.New(bytes.NewReader(in), len(in)).Unchecked()); err == io.EOF &&
			(uncheckedErr != io.EOF || !slices.Equal(docs, unchecked)) {
			t.Fatalf("got %q; unchecked %q, %v", docs, unchecked, uncheckedErr)
		}
		small, _ := readAll(bytes.NewReader(in), 3)
		for i, doc := range small {
			if len(doc) > 3 || doc != docs[i] {
				t.Fatalf("with a limit of 3: got %q", small)
			}
		}
		if bytes.IndexByte(in, 0x1e) >= 0 {
			return
		}
		want, ok := reference(bytes.TrimPrefix(in, []byte("\xef\xbb\xbf")))
		if !slices.Equal(docs, want) || (err == io.EOF) != ok {
			t.Fatalf("got %q, %v; encoding/json %q, %t", docs, err, want, ok)
		}
	})
}

// reference reads the documents with encoding/json, and tells whether they are all there is.
func reference(in []byte) (docs []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(in))
	for {
		var doc json.RawMessage
		if err := dec.Decode(&doc); err != nil {
			return docs, err == io.EOF
		}
		docs = append(docs, string(doc))
	}
}
