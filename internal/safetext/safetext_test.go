package safetext_test

import (
	"testing"

	"github.com/dyngate/dyngate/internal/safetext"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "Ünïcödé, 日本語, 👩‍🚀 and\ttabs\n", "Ünïcödé, 日本語, 👩‍🚀 and\ttabs\n"},
		{"empty", "", ""},
		{"escape sequence", "a\x1b[31mb", "a\uFFFD[31mb"},
		{"NUL, bell, backspace", "\x00\a\b", "\uFFFD\uFFFD\uFFFD"},
		{"DEL", "a\x7f", "a\uFFFD"},
		{"C1", "a\u009b31mb\u0085", "a\uFFFD31mb\uFFFD"},
		{"bidirectional overrides", "\u202eabc\u202c\u2066\u2069\u200f\u061c", "\uFFFDabc\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"Unicode line breaks", "a\u2028b\u2029", "a\uFFFDb\uFFFD"},
		{"invalid UTF-8", "a\xff\xc3(\xe2\x80", "a\uFFFD\uFFFD(\uFFFD\uFFFD"},
		{"C1 as a raw byte", "\x9b31m", "\uFFFD31m"},
		{"line endings of Windows", "a\r\nb\r\n", "a\nb\n"},
		{"carriage return inside a line", "a\rb", "a\uFFFDb"},
	} {
		if got := safetext.Clean(c.in); got != c.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
		if got := safetext.Clean(c.want); got != c.want {
			t.Errorf("%s: Clean(%q) = %q, want no change", c.name, c.want, got)
		}
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"{\n\t\"é\"}":                 "{\n\t\"é\"}",
		"\"\u202e\u009b\x7f\u2028a\"": `"\u202e\u009b\u007f\u2028a"`,
		"\"\x1b\r\"":                  `"\u001b\u000d"`,
	} {
		if got := string(safetext.Escape([]byte(in))); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIsClean(t *testing.T) {
	for s, want := range map[string]bool{
		"shop.v1.Orders/Place": true, "é": true, "a\nb": false, "a\tb": false, "\x1b": false, "\xff": false, "\u202e": false,
	} {
		if got := safetext.IsClean(s); got != want {
			t.Errorf("IsClean(%q) = %t", s, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\xff\u202e\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		clean := safetext.Clean(s)
		for _, r := range clean {
			if safetext.Unsafe(r) {
				t.Fatalf("Clean(%q) has %U", s, r)
			}
		}
		if safetext.Clean(clean) != clean {
			t.Fatalf("Clean(%q) is not clean", s)
		}
	})
}
