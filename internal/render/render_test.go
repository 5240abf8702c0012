package render_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/render"
	"github.com/dyngate/dyngate/internal/schematest"
)

var types = schematest.Compile(map[string]string{"t.proto": `syntax = "proto3";
package t;
import "google/protobuf/any.proto";
message M {
  string text = 1;
  int64 big = 2;
  double ratio = 3;
  repeated M kids = 4;
  map<string, int32> counts = 5;
  bytes raw = 6;
  bool ok = 7;
  google.protobuf.Any any = 8;
}
`}).File("t.proto").Types()

// message returns a t.M from its JSON.
func message(t testing.TB, json string) proto.Message {
	t.Helper()
	mt, err := types.FindMessageByName("t.M")
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(mt.Descriptor())
	if err := jsonmsg.Decode([]byte(json), m, types); err != nil {
		t.Fatal(err)
	}
	return m
}

// printed returns what a Printer makes of messages.
func printed(t testing.TB, format string, o render.Options, messages ...proto.Message) string {
	t.Helper()
	var out bytes.Buffer
	o.Types = types
	p, err := render.New(&out, format, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := p.Print(m); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	first := message(t, `{"text":"a: 1","big":"7","ratio":1e21,"kids":[{"ok":true},{}],"counts":{"n":1,"b c":2},"raw":"AP8="}`)
	second := message(t, `{}`)
	third := message(t, `{"any":{"@type":"x/t.M","text":"in"}}`)
	for format, want := range map[string]string{
		"json": `{
  "text": "a: 1",
  "big": "7",
  "ratio": 1e+21,
  "kids": [
    {
      "ok": true
    },
    {}
  ],
  "counts": {
    "b c": 2,
    "n": 1
  },
  "raw": "AP8="
}
{}
{
  "any": {
    "@type": "x/t.M",
    "text": "in"
  }
}
`,
		"ndjson": `{"text":"a: 1","big":"7","ratio":1e+21,"kids":[{"ok":true},{}],"counts":{"b c":2,"n":1},"raw":"AP8="}
{}
{"any":{"@type":"x/t.M","text":"in"}}
`,
		"yaml": `text: "a: 1"
big: "7"
ratio: 1.0e+21
kids:
  - ok: true
  - {}
counts:
  b c: 2
  "n": 1
raw: "AP8="
---
{}
---
any:
  "@type": x/t.M
  text: in
`,
		"text": `text: "a: 1"
big: 7
ratio: 1e+21
kids: {
  ok: true
}
kids: {}
counts: {
  key: "b c"
  value: 2
}
counts: {
  key: "n"
  value: 1
}
raw: "\x00\xff"
# ---
# ---
any: {
  [x/t.M]: {
    text: "in"
  }
}
`,
	} {
		if got := printed(t, format, render.Options{}, first, second, third); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	for format, want := range map[string]string{
		"ndjson": `{"text":"","big":"0","ratio":0,"kids":[],"counts":{},"raw":"","ok":false}` + "\n",
		"yaml":   "text: \"\"\nbig: \"0\"\nratio: 0\nkids: []\ncounts: {}\nraw: \"\"\nok: false\n",
		"text":   "",
		"binary": "",
	} {
		if got := printed(t, format, render.Options{EmitDefaults: true}, message(t, `{}`)); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, want)
		}
	}
}

func TestBinary(t *testing.T) {
	m := message(t, `{"text":"x","counts":{"a":1,"b":2}}`)
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := printed(t, "binary", render.Options{}, m); got != string(want) {
		t.Errorf("got %x, want %x", got, want)
	}
	stream := bytes.NewReader([]byte(printed(t, "binary", render.Options{Delimited: true}, m, message(t, `{}`), m)))
	for _, want := range []proto.Message{m, message(t, `{}`), m} {
		got := message(t, `{}`)
		if err := protodelim.UnmarshalFrom(stream, got); err != nil || !proto.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if stream.Len() > 0 {
		t.Errorf("%d bytes too many", stream.Len())
	}
}

// TestTerminal prints what nobody wants in a terminal.
func TestTerminal(t *testing.T) {
	const nasty = `\u0000\u0007\u001b[2J\u007f\u0080\u009b31m\u200e\u2028\u202e\u2066\u061c`
	m := message(t, `{"text":"é`+nasty+`","counts":{"`+nasty+`":1},"any":{"@type":"x/t.M","text":"`+nasty+`"}}`)
	evil := message(t, `{"any":{"@type":"\u001b]0;\u202e/t.M"}}`)
	for _, format := range []string{"json", "ndjson", "yaml", "text"} {
		got := printed(t, format, render.Options{}, m, evil)
		for _, r := range got {
			if r != '\n' && r != 'é' && (r < ' ' || r > '~') {
				t.Errorf("%s: %U in %q", format, r, got)
			}
		}
		if !strings.Contains(got, "é") {
			t.Errorf("%s: %q has no é", format, got)
		}
	}
	back := message(t, `{}`)
	if err := (prototext.UnmarshalOptions{Resolver: types}).Unmarshal([]byte(printed(t, "text", render.Options{}, m)), back); err != nil || !proto.Equal(m, back) {
		t.Errorf("text: %v, %v", back, err)
	}
	if err := jsonmsg.Decode([]byte(printed(t, "json", render.Options{}, m)), back, types); err != nil || !proto.Equal(m, back) {
		t.Errorf("json: %v, %v", back, err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := render.New(io.Discard, "jsn", render.Options{}); err == nil ||
		err.Error() != `unknown format "jsn" (did you mean "json"?); the formats are: json, ndjson, yaml, text, binary` {
		t.Errorf("got %v", err)
	}
	var out writes
	p, err := render.New(&out, "yaml", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Print(&structpb.Value{}); err == nil || !strings.HasPrefix(err.Error(), "google.protobuf.Value as yaml: ") {
		t.Errorf("got %v", err)
	}
	if err := p.Print(&timestamppb.Timestamp{}); err != nil || !slices.Equal(out, []string{"\"1970-01-01T00:00:00Z\"\n"}) {
		t.Errorf("after an error: %q, %v", out, err)
	}
	if err := p.Print(&timestamppb.Timestamp{}); err != nil || len(out) != 2 {
		t.Errorf("not one write for each message: %q, %v", out, err)
	}
	broken := errors.New("broken pipe")
	p, err = render.New(failing{broken}, "json", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Print(&timestamppb.Timestamp{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// writes keeps each write.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
