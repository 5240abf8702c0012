package framing

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	for _, test := range []struct {
		contentType, body string
		want              []string // nil if the content type is not read
	}{
		{"", "[1,{}]", []string{"1", "{}"}},
		{"", "{}\n{}", []string{"{}", "{}"}},
		{"application/json", "[1,{}]", []string{"1", "{}"}},
		{"application/json", "{}{}", []string{"{}", "{}"}},
		{"Application/JSON; charset=UTF-8", "[1]", []string{"1"}},
		{"application/x-ndjson", "[1]\n{}", []string{"[1]", "{}"}},
		{"application/ndjson", "1\n2", []string{"1", "2"}},
		{"application/jsonl; charset=utf8", "{}", []string{"{}"}},
		{"application/x-jsonlines", "{}", []string{"{}"}},
		{"application/json; charset=utf-16", "", nil},
		{"text/plain", "", nil},
		{"application/json/x", "", nil},
		{"text/event-stream", "", nil},
	} {
		r, ok := NewReader(strings.NewReader(test.body), test.contentType, 100)
		if ok != (test.want != nil) {
			t.Errorf("%q: got %t", test.contentType, ok)
			continue
		}
		var got []string
		for ok {
			doc, err := r.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(doc))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q, %q: got %q", test.contentType, test.body, got)
		}
	}
}
