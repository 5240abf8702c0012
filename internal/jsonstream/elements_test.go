package jsonstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/dyngate/dyngate/internal/jsonstream"
)

// readElements returns the documents of an input that may be an array.
func readElements(in io.Reader, maxBytes int) (docs []string, err error) {
	return drain(jsonstream.NewElements(in, maxBytes))
}

func TestElements(t *testing.T) {
	for in, want := range map[string][]string{
		"":                              nil,
		"[]":                            nil,
		" \n[ \t] \r\n":                 nil,
		"\xef\xbb\xbf[1]":               {"1"},
		`[{"a":1},{"a":2}]`:             {`{"a":1}`, `{"a":2}`},
		"[ 1 ,\n\"]\" , [2,[3]], null]": {"1", `"]"`, "[2,[3]]", "null"},
		"{} [1]":                        {"{}", "[1]"}, // only a first array is around all
		"{}\n{}\n":                      {"{}", "{}"},
		"\x1e[1]":                       {"1"},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "bytes": iotest.OneByteReader(strings.NewReader(in))} {
			if got, err := readElements(r, 100); err != io.EOF || !slices.Equal(got, want) {
				t.Errorf("%q, %s: got %q, %v, want %q", in, name, got, err, want)
			}
		}
	}
}

func TestElementErrors(t *testing.T) {
	for in, want := range map[string]string{
		"[":                "line 1:2: the input ends inside the array",
		"[1,\n{}":          "line 2:3: the input ends inside the array",
		"[1,":              "line 1:4: the input ends inside the array",
		"[1,2]\n\n x":      "line 3:2: expected nothing after the array, found 'x'",
		"[1][2]":           "line 1:4: expected nothing after the array, found '['",
		"[]\x1e":           `line 1:3: expected nothing after the array, found '\x1e'`,
		"[{} {}]":          "line 1:5: expected a comma or a closing bracket after document 1, found '{'",
		"[1 “]":            "line 1:4: expected a comma or a closing bracket after document 1, found '“'",
		"[1,]":             "document 2, line 1:4: expected a value, found ']'",
		"[,1]":             "document 1, line 1:2: expected a value, found ','",
		"[1,,2]":           "document 2, line 1:4: expected a value, found ','",
		"[1}":              "line 1:3: expected a comma or a closing bracket after document 1, found '}'",
		"[1\x1e,2]":        `line 1:3: expected a comma or a closing bracket after document 1, found '\x1e'`,
		"[1,{\"a\":\n2":    "document 2: the input ends inside a document that began at line 1:4",
		"[1, \"1234567\"]": "document 2, which begins at line 1:5, is larger than 8 bytes",
	} {
		_, err := readElements(strings.NewReader(in), 8)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %q, want %q", in, err, want)
		}
	}
}

// TestPositions compares what programs read with the text for people.
func TestPositions(t *testing.T) {
	r := jsonstream.NewElements(strings.NewReader("[{},\n  {\"é\":1},\n{}, x]"), 100)
	for _, want := range [][3]int{{1, 1, 2}, {2, 2, 3}, {3, 3, 1}} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if document, line, column := r.Position(); [3]int{document, line, column} != want {
			t.Errorf("got document %d at %d:%d, want %v", document, line, column, want)
		}
	}
	_, err := r.Next()
	if e := new(jsonstream.Error); !errors.As(err, &e) || e.Document != 4 || e.Line != 3 || e.Column != 5 || e.TooLarge || e.Err != nil {
		t.Errorf("got %#v", err)
	}
	_, err = jsonstream.New(strings.NewReader("\n {}"), 1).Next()
	if e := new(jsonstream.Error); !errors.As(err, &e) || !e.TooLarge || e.Line != 2 || e.Column != 2 {
		t.Errorf("got %#v", err)
	}
}

// TestElementAtOnce has an element before the writer goes on.
func TestElementAtOnce(t *testing.T) {
	in, out := io.Pipe()
	r := jsonstream.NewElements(in, 100)
	for _, step := range []struct{ text, want string }{{"[{}", "{}"}, {",\n[1]", "[1]"}, {`,"x",`, `"x"`}} {
		go func() { _, _ = io.WriteString(out, step.text) }()
		if got, err := r.Next(); string(got) != step.want || err != nil {
			t.Fatalf("%q: got %q, %v", step.text, got, err)
		}
	}
}

func FuzzElements(f *testing.F) {
	for _, seed := range []string{`[{"a":1}, [2,3],"x"]`, "\xef\xbb\xbf[1 ,2]", "[]x", "[1][", "[\x1e{}]", " [1,]", "[1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		docs, err := readElements(bytes.NewReader(in), len(in))
		slow, slowErr := readElements(iotest.OneByteReader(bytes.NewReader(in)), len(in))
		if !slices.Equal(docs, slow) || err.Error() != slowErr.Error() {
			t.Fatalf("got %q, %v; byte by byte %q, %v", docs, err, slow, slowErr)
		}
		text := bytes.TrimPrefix(in, []byte("\xef\xbb\xbf"))
		if first := bytes.TrimLeft(text, " \t\r\n"); len(first) == 0 || first[0] != '[' {
			return
		}
		var want []json.RawMessage
		if valid := json.Unmarshal(text, &want) == nil; valid != (err == io.EOF) {
			t.Fatalf("got %q, %v; encoding/json: valid %t", docs, err, valid)
		} else if !valid {
			return
		}
		if !slices.EqualFunc(docs, want, func(a string, b json.RawMessage) bool { return a == string(b) }) {
			t.Fatalf("got %q; encoding/json %q", docs, want)
		}
	})
}
