package jsonmsg_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/dyngate/dyngate/internal/jsonmsg"
)

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct {
		message protoreflect.FullName
		json    string
		want    string
	}{
		{"shop.Order", `{"items":[{},{},{"colour":1}]}`, `items[2].colour: shop.Item has no field "colour" (did you mean "color"?); it has: color, name, qty, tags`},
		{"shop.Item", `{"xyz":1}`, `xyz: shop.Item has no field "xyz"; it has: color, name, qty, tags`},
		{"shop.Empty", `{"xyz":1}`, `xyz: shop.Empty has no field "xyz"; it has none at all`},
		{"shop.Many", `{"f":1}`, `f: shop.Many has no field "f"; it has: f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20 and 3 more`},
		{"shop.Order", `{"by-name":{}}`, `["by-name"]: shop.Order has no field "by-name" (did you mean "byName"?); it has: byName, items, colors, flags, card, cash, barter, note, scalars, known, parent`},
		{"shop.Item", `{"\u001b[2J":1}`, `["\x1b[2J"]: shop.Item has no field "\x1b[2J"; it has: color, name, qty, tags`},
		{"shop.Order", `{"items":[{},{},{"qty":"many"}]}`, `items[2].qty: expected int32, got the string "many"`},
		{"shop.Order", `{"byName":{"a b":{"qty":3.5}}}`, `byName["a b"].qty: expected int32, got the number 3.5`},
		{"shop.Order", `{"items":{}}`, `items: expected a list of shop.Item, got an object`},
		{"shop.Order", `{"items":[null]}`, `items[0]: expected an object (shop.Item), got null`},
		{"shop.Order", `{"byName":[]}`, `byName: expected an object (map<string, shop.Item>), got a list`},
		{"shop.Order", `{"colors":{"x":1}}`, `colors: expected keys of type int32, got "x"`},
		{"shop.Order", `{"flags":{"true":1,"true":2}}`, `flags: the key "true" occurs twice`},
		{"shop.Order", `{"colors":{"1":1,"01":2}}`, `colors: the key "01" occurs twice`},
		{"shop.Order", `{"colors":{"1":null}}`, `colors["1"]: expected shop.Color, got null`},
		{"shop.Order", `{"colors":{"1":"GREN"}}`, `colors["1"]: shop.Color has no value "GREN" (did you mean "GREEN" or "RED"?); it has: GREEN, RED, COLOR_UNSPECIFIED, BLUE`},
		{"shop.Item", `{"color":true}`, `color: expected shop.Color, got true`},
		{"shop.Item", `{"color":3000000000}`, `color: expected shop.Color, got the number 3000000000`},
		{"shop.Order", `{"card":"x","cash":1}`, `cash: only one field of the oneof shop.Order.payment can be set, and "card" already is`},
		{"shop.Order", `{"note":"a","note":"b"}`, `note: the field is set twice`},
		{"shop.Order", `{"byName":{},"by_name":{}}`, `by_name: the field is set twice: "byName" and "by_name" are the same field`},
		{"shop.Order", `{"parent":{"parent":{"scalars":{"u64":-1}}}}`, `parent.parent.scalars.u64: expected uint64, got the number -1`},
		{"shop.Order", `[]`, `expected an object (shop.Order), got a list`},
		{"shop.Order", `"` + strings.Repeat("x", 100) + `"`, `expected an object (shop.Order), got the string "` + strings.Repeat("x", 60) + `"...`},
		{"shop.Scalars", `{"bo":1}`, `bo: expected bool (true or false), got the number 1`},
		{"shop.Scalars", `{"by":"?"}`, `by: expected bytes as a base64 string, got the string "?"`},
		{"shop.Scalars", `{"fl":1e300}`, `fl: expected float, got the number 1e300`},
		{"shop.Scalars", `{"db":{}}`, `db: expected double, got an object`},
		{"shop.Scalars", `{"st":7}`, `st: expected string, got the number 7`},
		{"shop.Scalars", `{"i64":"1` + strings.Repeat("0", 30) + `"}`, `i64: expected int64, got the string "1` + strings.Repeat("0", 30) + `"`},
		{"shop.Scalars", "{\"st\":\"\xff\"}", `syntax error (line 1:7): the string is not valid UTF-8`},
		{"shop.Known", `{"at":"yesterday"}`, `at: expected google.protobuf.Timestamp such as "2006-01-02T15:04:05Z", got the string "yesterday"`},
		{"shop.Known", `{"took":5}`, `took: expected google.protobuf.Duration such as "1.5s", got the number 5`},
		{"shop.Known", `{"mask":["a"]}`, `mask: expected google.protobuf.FieldMask such as "name,address.city", got a list`},
		{"shop.Known", `{"fields":[]}`, `fields: expected an object (google.protobuf.Struct), got a list`},
		{"shop.Known", `{"fields":{"a":1,"a":2}}`, `fields: the key "a" occurs twice`},
		{"shop.Known", `{"value":[1e999]}`, `value[0]: expected double, got the number 1e999`},
		{"shop.Known", `{"list":7}`, `list: expected a list (google.protobuf.ListValue), got the number 7`},
		{"shop.Known", `{"number":"x"}`, `number: expected int32, got the string "x"`},
		{"shop.Known", `{"raw":1}`, `raw: expected bytes as a base64 string, got the number 1`},
		{"shop.Known", `{"nothing":true}`, `nothing: expected null, got true`},
		{"shop.Known", `{"empty":{"a":1}}`, `empty.a: google.protobuf.Empty has no field "a"; it has none at all`},
		{"shop.Known", `{"any":7}`, `any: expected an object with "@type" (google.protobuf.Any), got the number 7`},
		{"shop.Known", `{"any":{"a":1}}`, `any: "@type" is missing: the type of the message, such as "type.googleapis.com/google.protobuf.Duration"`},
		{"shop.Known", `{"any":{"@type":1}}`, `any["@type"]: expected a type such as "type.googleapis.com/google.protobuf.Duration", got the number 1`},
		{"shop.Known", `{"any":{"@type":"x/shop.Item","@type":"x/shop.Item"}}`, `any["@type"]: it occurs twice`},
		{"shop.Known", `{"any":{"@type":"x/shop.Nothing"}}`, `any["@type"]: unknown message type "x/shop.Nothing"`},
		{"shop.Known", `{"anys":[{"qty":"x","@type":"x/shop.Item"}]}`, `anys[0].qty: expected int32, got the string "x"`},
		{"shop.Known", `{"any":{"@type":"x/google.protobuf.Duration","value":"x"}}`, `any.value: expected google.protobuf.Duration such as "1.5s", got the string "x"`},
		{"shop.Known", `{"any":{"@type":"x/google.protobuf.Duration"}}`, `any: "value" is missing: the JSON of the google.protobuf.Duration`},
		{"shop.Known", `{"any":{"@type":"x/google.protobuf.Duration","val":1}}`, `any.val: google.protobuf.Duration has no field "val" (did you mean "value"?); it has: value, @type`},
		{"shop.Known", `{"any":{"@type":"x/google.protobuf.Duration","value":"1s","value":"1s"}}`, `any.value: the field is set twice`},
		{"old.Root", `{"name":"a","[old.more]":{"x":1}}`, `[old.more].x: old.Root has no field "x"; it has: name, inner, kids, named, raw, text`},
		{"old.Root", `{"name":"a","[old.numbers]":[1,"x"]}`, `[old.numbers][1]: expected int32, got the string "x"`},
		{"old.Root", `{"[old.none]":1}`, `[old.none]: unknown extension`},
		{"old.Root", `{"[old.far]":1}`, `[old.far]: it extends old.Other, not old.Root`},
		{"old.Root", `{"kids":[{}],"named":{"k":{"name":"n","Inner":{}}}}`, `required fields are not set: kids[0].name, name, named["k"].Inner.x`},
		{"old.Root", `{"name":"n","[old.more]":{}}`, `required fields are not set: [old.more].name`},
		{"shop.Order", ``, `the JSON is empty`},
		{"shop.Order", ` `, `the JSON is empty`},
		{"shop.Order", `{"items":[{}`, `syntax error (line 1:13): expected "]" or a comma, but the JSON ends`},
		{"shop.Order", "{\n  x}", `syntax error (line 2:3): expected a key in double quotes, got 'x'`},
		{"shop.Order", `{} {}`, `syntax error (line 1:4): expected the end of the JSON, got '{'`},
		{"shop.Order", strings.Repeat(`{"parent":`, 101) + "{}" + strings.Repeat("}", 101), `the message is nested more than 100 levels deep`},
		{"shop.Order", "{} \u009b", `syntax error (line 1:4): expected the end of the JSON, got '\u009b'`},
	} {
		m, types := empty(t, c.message)
		if err := jsonmsg.Decode([]byte(c.json), m, types); err == nil || err.Error() != c.want {
			t.Errorf("%s: got\n  %v, want\n  %s", c.json, err, c.want)
		}
	}
}

func TestDecodeWithoutTypes(t *testing.T) {
	if err := jsonmsg.Decode([]byte(`{"any":{"@type":"x/shop.Item"}}`), must(empty(t, "shop.Known")), nil); err == nil {
		t.Error("a type was found that is not linked in")
	}
	m := must(empty(t, "shop.Known"))
	if err := jsonmsg.Decode([]byte(`{"any":{"@type":"x/google.protobuf.Duration","value":"1s"}}`), m, nil); err != nil {
		t.Error(err)
	}
	var d durationpb.Duration
	if err := jsonmsg.Decode([]byte(`"1.5s"`), &d, nil); err != nil || d.GetNanos() != 5e8 {
		t.Error(err, &d)
	}
}
