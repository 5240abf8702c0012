package httprule

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	lit := func(text string) Segment { return Segment{Kind: Literal, Text: text} }
	one, many := Segment{Kind: Single}, Segment{Kind: Multi}
	for _, tt := range []struct {
		text     string
		segments []Segment
		captures []Capture
		verb     string
	}{
		{"/", nil, nil, ""},
		{"/v1/books", []Segment{lit("v1"), lit("books")}, nil, ""},
		{"/v1/{id}", []Segment{lit("v1"), one}, []Capture{{"id", 1, 2}}, ""},
		{"/v1/{id=*}:read", []Segment{lit("v1"), one}, []Capture{{"id", 1, 2}}, "read"},
		{"/v1/{b.name=shelves/*/books/**}", []Segment{lit("v1"), lit("shelves"), one, lit("books"), many}, []Capture{{"b.name", 1, 5}}, ""},
		{"/{a}/{b_2}", []Segment{one, one}, []Capture{{"a", 0, 1}, {"b_2", 1, 2}}, ""},
		{"/*/**", []Segment{one, many}, nil, ""},
		{"/{parent=**}/items/{id}:do", []Segment{many, lit("items"), one}, []Capture{{"parent", 0, 1}, {"id", 2, 3}}, "do"},
		{"/a:b/c:d:e", []Segment{lit("a:b"), lit("c:d")}, nil, "e"},
		{"/{x=a:b}", []Segment{lit("a:b")}, []Capture{{"x", 0, 1}}, ""},
		{"/caf%C3%A9/a%2Fb/é", []Segment{lit("café"), lit("a/b"), lit("é")}, nil, ""},
		{"/a=b&c;d,e+f@g!$'()", []Segment{lit("a=b&c;d,e+f@g!$'()")}, nil, ""},
		{"/a%3Ab", []Segment{lit("a:b")}, nil, ""},
	} {
		got, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if !reflect.DeepEqual(got.Segments, tt.segments) || !reflect.DeepEqual(got.Captures, tt.captures) || got.Verb != tt.verb || got.String() != tt.text {
			t.Errorf("Parse(%q) = %+v", tt.text, *got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, "begins with a slash"},
		{"v1", 0, "begins with a slash"},
		{"/v1/", 4, "a segment is empty"},
		{"//v1", 1, "a segment is empty"},
		{"/:read", 1, "a segment is empty"},
		{"/v1:", 4, "the verb is empty"},
		{"/{id", 4, "expected }, which ends the variable from offset 1"},
		{"/{id=", 5, "a segment is empty"},
		{"/{}", 2, "expected the name of a field"},
		{"/{a.}", 4, "expected the name of a field"},
		{"/{1a}", 2, "expected the name of a field"},
		{"/{a={b}}", 4, "cannot contain another variable"},
		{"/a*", 2, "whole segments"},
		{"/*a", 2, "whole segments"},
		{"/***", 3, "whole segments"},
		{"/{a}b", 4, "whole segments"},
		{"/a{b}", 2, "whole segments"},
		{"/a}", 2, "unexpected '}'"},
		{"/**/a/**", 6, `one "**" at most`},
		{"/{a=**}/{b=**}", 11, `one "**" at most`},
		{"/a?b", 2, "cannot be in a path"},
		{"/a#b", 2, "cannot be in a path"},
		{"/a b", 2, "cannot be in a path"},
		{"/a\nb", 2, "cannot be in a path"},
		{"/a%2", 2, "two hexadecimal digits"},
		{"/a%zz", 2, "two hexadecimal digits"},
		{"/a\xff", 0, "valid UTF-8"},
		{strings.Repeat("/a", 65), 129, "64 segments"},
		{"/" + strings.Repeat("a", 3000), 0, "2048 bytes"},
	} {
		_, err := Parse(tt.text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%.40q): %v, want a *SyntaxError", tt.text, err)
			continue
		}
		if syntax.Offset != tt.offset || !strings.Contains(syntax.Message, tt.want) {
			t.Errorf("Parse(%.40q): offset %d, %q; want offset %d, %q", tt.text, syntax.Offset, syntax.Message, tt.offset, tt.want)
		}
	}
}

// format writes a template from its parts.
func format(t *Template) string {
	var b strings.Builder
	for i, s := range t.Segments {
		b.WriteByte('/')
		for _, c := range t.Captures {
			if c.Start == i {
				b.WriteString("{" + c.Name + "=")
			}
		}
		b.WriteString([]string{escape(s.Text), "*", "**"}[s.Kind])
		for _, c := range t.Captures {
			if c.End == i+1 {
				b.WriteByte('}')
			}
		}
	}
	if len(t.Segments) == 0 {
		return "/"
	}
	if t.Verb != "" {
		b.WriteString(":" + escape(t.Verb))
	}
	return b.String()
}

// FuzzParse checks that a template that was parsed, written from its parts and parsed again
// is the same, and that errors point into the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/v1/{name=shelves/*/books/**}:read", "/", "/{a}/*/x%2Fy", "/{a.b=**}/c", "/{", "/a:b:c", "/%", "x", "/{a}{b}", "/é/{x=é}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := Parse(text)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(syntax.Template) {
				t.Fatalf("%#v", err)
			}
			_ = syntax.picture()
			return
		}
		second, err := Parse(format(first))
		if err != nil {
			t.Fatalf("%q was written as %q: %v", text, format(first), err)
		}
		second.text = first.text
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%q was written as %q: %+v, then %+v", text, format(first), *first, *second)
		}
	})
}
