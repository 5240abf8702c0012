package openapi

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestText writes strings that are hard to write, and reads them again.
func TestText(t *testing.T) {
	for _, s := range []string{
		"", " ", "plain text", "yes", "No", "null", "1", "1e3", "0x1F", "-", "- a", "a: b", "a #b", "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "`a`",
		`"quoted"`, `back\slash`, "tab\there", "line\nbreak", "line\nbreak\n", "two\n\nlines", "\nfirst", " space\nfirst", "last\n\n", "trailing \nspace", "\r\nreturn",
		"  \n", "bell\a", "\u0085", "\u2028", "\u202e", "\ufeff", "é", "😀", "\x7f", "a\n  b\n c", "a\n\t b", "a\n#b\n- c: d",
	} {
		value := obj(s, s, "list", list{s, obj("inner", s), list{s}, object{}, list{}})
		want := map[string]any{s: s, "list": []any{s, map[string]any{"inner": s}, []any{s}, map[string]any{}, []any{}}}
		var asJSON, asYAML any
		if err := json.Unmarshal(render(t, value, false), &asJSON); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		content := render(t, value, true)
		if err := yaml.Unmarshal(content, &asYAML); err != nil {
			t.Errorf("%q: %v\n%s", s, err, content)
		}
		if diff := cmp.Diff(any(want), asJSON); diff != "" {
			t.Errorf("%q as JSON: %s", s, diff)
		}
		if diff := cmp.Diff(any(want), asYAML); diff != "" {
			t.Errorf("%q as YAML: %s\n%s", s, diff, content)
		}
	}
}

func render(t *testing.T, value object, asYAML bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(&out, asYAML)
	w.value(value)
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestClean(t *testing.T) {
	for comment, want := range map[string]string{
		" One.\n Two.\n":                   "One.\nTwo.",
		" A list:\n   - one\n":             "A list:\n  - one",
		" Before. (-- secret --) After.\n": "Before.  After.",
		" Before.\n\n (-- never\n closed":  "Before.",
		" trailing \t\n\n\n":               "trailing",
		" (-- a --)(-- b --) c":            "c",
		" windows\r\n lines\r\n":           "windows\nlines",
	} {
		if got := clean(comment); got != want {
			t.Errorf("%q is cleaned to %q, want %q", comment, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	for comment, want := range map[string]string{
		"":                                     "",
		"Gets it.":                             "Gets it",
		"Gets it. Or not.":                     "Gets it",
		"Gets\nit, e.g.\n\nMore.":              "Gets it, e.g",
		string(bytes.Repeat([]byte("x"), 121)): "",
	} {
		if got := summaryOf(comment); got != want {
			t.Errorf("the summary of %q is %q, want %q", comment, got, want)
		}
	}
}

func TestPortablePatterns(t *testing.T) {
	for pattern, want := range map[string]bool{
		`^[a-z]+$`: true, `^(?:a|b)\d{2}$`: true, `\.`: true, `\(?`: true, `a\\A`: true,
		`(?i)a`: false, `\Aa`: false, `a\z`: false, `[[:alpha:]]`: false, `\pL`: false, `(?P<n>a)`: false, `\x{10FFFF}`: false, `(`: false,
	} {
		if got := isPortable(pattern); got != want {
			t.Errorf("%s is portable: %t", pattern, got)
		}
	}
}
