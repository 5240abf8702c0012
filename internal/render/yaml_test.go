package render_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dyngate/dyngate/internal/render"
)

// TestYAMLStrings has each string in the form in which any version of YAML reads it as one.
func TestYAMLStrings(t *testing.T) {
	for s, want := range map[string]string{
		"plain words": "plain words", "a/b.c-d_e": "a/b.c-d_e", "Grüße": "Grüße", "me@here.org": "me@here.org", "nothing": "nothing",
		"": `""`, "true": `"true"`, "No": `"No"`, "y": `"y"`, "off": `"off"`, "null": `"null"`, "~": `"~"`, "NULL": `"NULL"`,
		"1": `"1"`, "1e3": `"1e3"`, "0x1f": `"0x1f"`, "12:30:45": `"12:30:45"`, ".inf": `".inf"`, "2001-01-01": `"2001-01-01"`, "1_000": `"1_000"`,
		"a: b": `"a: b"`, "a #b": `"a #b"`, "- a": `"- a"`, "&a": `"&a"`, "=": `"="`, "<<": `"<<"`, "{}": `"{}"`, "---": `"---"`,
		" a": `" a"`, "a ": `"a "`, "tab\t": `"tab\t"`, "\x1b": `"\e"`, "\u202e": `"\u202e"`,
		"a\nb": "|-\n  a\n  b", "a\n\n b: c\n": "|\n  a\n\n   b: c", "\na": `"\na"`, " a\nb": `" a\nb"`, "a\r\nb": `"a\r\nb"`, "a\n\n": `"a\n\n"`,
	} {
		got := printed(t, "yaml", render.Options{}, structpb.NewStringValue(s))
		if got != want+"\n" {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

// TestYAMLDeep has no more spaces than there is reason for.
func TestYAMLDeep(t *testing.T) {
	text := strings.Repeat(`{"kids":[`, 50) + `{"text":"a\nb"}` + strings.Repeat("]}", 50)
	got := printed(t, "yaml", render.Options{}, message(t, text))
	if lines := strings.Count(got, "\n"); lines > 70 {
		t.Errorf("%d lines", lines)
	}
	var value any
	if err := yaml.Unmarshal([]byte(got), &value); err != nil {
		t.Error(err)
	}
}

// FuzzYAML reads what was written as YAML, and has the same as from the JSON.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5,-1e300,true,null,"x"],"b c":{"":{}},"yes":"no","1":"1","~":[[],{}]}`, `"a\nb: c\n  d"`, `["a\n\n","\n"," \t","\u0085","\ufeff","\ufffe"]`,
		`{"a\nb":"- c","? d":"# e","...":"---"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m structpb.Value
		if m.UnmarshalJSON(text) != nil {
			return
		}
		var want any
		if err := json.Unmarshal([]byte(printed(t, "ndjson", render.Options{}, &m)), &want); err != nil {
			t.Fatal(err)
		}
		got := printed(t, "yaml", render.Options{}, &m)
		var value any
		if err := yaml.Unmarshal([]byte(got), &value); err != nil {
			t.Fatalf("%s: %v\n%s", text, err, got)
		}
		if value := floats(value); !reflect.DeepEqual(value, want) {
			t.Fatalf("%s: got %#v, want %#v from\n%s", text, value, want, got)
		}
	})
}

// floats turns the numbers of a YAML value into what they are in JSON.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}
