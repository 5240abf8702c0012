package jsonmsg_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/jsonmsg"
)

func must[A, B any](a A, _ B) A { return a }

func decode(t testing.TB, name protoreflect.FullName, json string) (proto.Message, codec.Types) {
	t.Helper()
	m, types := empty(t, name)
	if err := jsonmsg.Decode([]byte(json), m, types); err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return m, types
}

func encode(t testing.TB, m proto.Message, types codec.Types, opts jsonmsg.EncodeOptions) string {
	t.Helper()
	b, err := jsonmsg.Encode(m, types, opts)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEncode(t *testing.T) {
	const all = `{"items":[{"color":"RED","name":"a, b: {\"","tags":["x","y"]},{}],"byName":{"a":{},"b":{"qty":-1}},` +
		`"scalars":{"i64":"-5","fl":1.5,"db":"NaN","bo":true,"by":"AAE="},` +
		`"known":{"any":{"@type":"x/shop.Item","qty":7},"at":"2006-01-02T15:04:05Z","value":null,"empty":{},` +
		`"anys":[{"@type":"x/google.protobuf.Duration","value":"1s"},{}]}}`
	m, types := decode(t, "shop.Order", all)
	if got := encode(t, m, types, jsonmsg.EncodeOptions{}); got != all {
		t.Errorf("got  %s\nwant %s", got, all)
	}
	m, types = decode(t, "shop.Item", `{"name":"a: 1,  b","tags":["x"]}`)
	if got, want := encode(t, m, types, jsonmsg.EncodeOptions{Indent: true, EmitDefaults: true}), `{
  "color": "COLOR_UNSPECIFIED",
  "name": "a: 1,  b",
  "qty": 0,
  "tags": [
    "x"
  ]
}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	m, types = empty(t, "old.Root")
	if got := encode(t, m, types, jsonmsg.EncodeOptions{Indent: true}); got != "{}" {
		t.Errorf("a message without its required fields: %s", got)
	}
}

// TestEncodeAny packs what cannot be unpacked.
func TestEncodeAny(t *testing.T) {
	item := []byte("\x12\x01n")
	for name, c := range map[string]struct {
		any  *anypb.Any
		want string
	}{
		"known":                       {&anypb.Any{TypeUrl: "x/shop.Item", Value: item}, `{"@type":"x/shop.Item","name":"n"}`},
		"unknown":                     {&anypb.Any{TypeUrl: "x/shop.Nothing", Value: item}, `{"@type":"x/shop.Nothing","@value":"EgFu"}`},
		"unknown, empty":              {&anypb.Any{TypeUrl: "x/shop.Nothing"}, `{"@type":"x/shop.Nothing","@value":""}`},
		"malformed":                   {&anypb.Any{TypeUrl: "x/shop.Item", Value: []byte("\xff")}, `{"@type":"x/shop.Item","@value":"/w=="}`},
		"panics dynamicpb and not us": {&anypb.Any{TypeUrl: "x/shop.Order", Value: []byte("\x12\x05\x0a\x01a\x08\x01")}, `{"@type":"x/shop.Order","byName":{"a":{}}}`},
		"no name":                     {&anypb.Any{TypeUrl: "?", Value: item}, `{"@type":"?","@value":"EgFu"}`},
		"for a terminal":              {&anypb.Any{TypeUrl: "\x1b/shop.Item", Value: item}, `{"@type":"\u001b/shop.Item","name":"n"}`},
		"malformed and well-known":    {&anypb.Any{TypeUrl: "x/google.protobuf.Duration", Value: []byte("\xff")}, `{"@type":"x/google.protobuf.Duration","@value":"/w=="}`},
		"any in any": {
			&anypb.Any{TypeUrl: "x/google.protobuf.Any", Value: marshal(t, &anypb.Any{TypeUrl: "x/shop.Nothing", Value: item})},
			`{"@type":"x/google.protobuf.Any","value":{"@type":"x/shop.Nothing","@value":"EgFu"}}`,
		},
	} {
		if got := encode(t, c.any, testSchema.File("shop.proto").Types(), jsonmsg.EncodeOptions{}); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if got := encode(t, &anypb.Any{TypeUrl: "x/shop.Nothing"}, nil, jsonmsg.EncodeOptions{EmitDefaults: true}); got != `{"@type":"x/shop.Nothing","@value":""}` {
		t.Errorf("with defaults: %s", got)
	}
}

func TestEncodeErrors(t *testing.T) {
	text, _ := empty(t, "old.Root")
	text.Set(text.Descriptor().Fields().ByName("text"), protoreflect.ValueOfString("\xff"))
	for want, m := range map[string]proto.Message{
		"google.protobuf.Timestamp with seconds 1152921504606846976 and nanos 0 is out of range": &timestamppb.Timestamp{Seconds: 1 << 60},
		"google.protobuf.Value has no value":                                                     &structpb.Value{},
		"google.protobuf.Any has a value but no type":                                            &anypb.Any{Value: []byte("x")},
		"text: the string is not valid UTF-8":                                                    text,
	} {
		if _, err := jsonmsg.Encode(m, nil, jsonmsg.EncodeOptions{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "proto:") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestEncodeDeep writes no more spaces than there is reason for, and an Any that is
// nested too deeply as bytes.
func TestEncodeDeep(t *testing.T) {
	tags := strings.Repeat(`"",`, 1000)
	json := strings.Repeat(`{"parent":`, 90) + `{"items":[{"tags":[` + tags + `""]}]}` + strings.Repeat("}", 90)
	m, types := decode(t, "shop.Order", json)
	if got := encode(t, m, types, jsonmsg.EncodeOptions{Indent: true}); len(got) > 100*len(tags)/4+90*200 {
		t.Errorf("%d bytes became %d", len(json), len(got))
	}
	deep := &anypb.Any{}
	for range 5000 {
		deep = &anypb.Any{TypeUrl: "/google.protobuf.Any", Value: marshal(t, deep)}
	}
	if got := encode(t, deep, nil, jsonmsg.EncodeOptions{}); strings.Count(got, "@value") != 1 {
		t.Errorf("%d bytes of a message that is too deep", len(got))
	}
}
