package jsonmsg_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/jsonmsg"
)

var fuzzed = []protoreflect.FullName{"shop.Order", "old.Root", "shop.Known", "shop.Scalars"}

// FuzzDecode takes exactly what protojson takes, and makes the same of it.
func FuzzDecode(f *testing.F) {
	for i, seeds := range [][]string{
		{
			`{"items":[{"color":"RED","name":"n","qty":3}],"byName":{"a":{}},"colors":{"1":2},"flags":{"true":"1"},"card":"x","note":null}`,
			`{"colour":1}`, `{"items":[{"qty":"x"}]}`, `{"card":"x","cash":1}`, `{"parent":{"parent":{}}} {}`, `{"colors":{"1":1,"01":1}}`,
		},
		{`{"name":"a","inner":{"x":1},"kids":[{"name":"b"}],"[old.more]":{"name":"c"},"[old.numbers]":[1]}`, `{"[old.far]":1}`, `{}`},
		{
			`{"any":{"@type":"x/shop.Item","qty":1},"at":"2006-01-02T15:04:05Z","took":"1s","mask":"a,b","fields":{"a":[1]},"value":null,"list":[1]}`,
			`{"anys":[{"@type":"x/google.protobuf.Duration","value":"1s"}],"empty":{},"number":"7","nothing":null,"values":[null,1],"nothings":[null]}`,
			`{"any":{"a":1}}`, `{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.protobuf.Empty"}}}`,
		},
		{`{"i32":1e2,"i64":"5","u32":" 1","fl":"NaN","db":1e999,"bo":true,"st":"\ud83d\ude00","by":"_-8="}`, `{"st":"\ud800"}`},
	} {
		for _, seed := range seeds {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := fuzzed[int(which)%len(fuzzed)]
		got, types := empty(t, name)
		want, _ := empty(t, name)
		err := jsonmsg.Decode(data, got, types)
		wantErr := protojson.UnmarshalOptions{Resolver: types, RecursionLimit: 100}.Unmarshal(data, want)
		if err != nil && !json.Valid(data) {
			return // protojson takes numbers such as 1e
		}
		if (err == nil) != (wantErr == nil) || err == nil && !proto.Equal(got, want) {
			t.Fatalf("%q: got %v, %v, protojson %v, %v", data, got, err, want, wantErr)
		}
	})
}

// FuzzEncode writes what protojson writes, but for white space and for Anys
// that it cannot write.
func FuzzEncode(f *testing.F) {
	for i, seed := range []string{
		`{"items":[{"color":"RED","name":"a \"b: c\", d\\"}],"byName":{"a":{}},"card":"x","parent":{}}`,
		`{"name":"a","inner":{"x":1},"[old.more]":{"name":"c"},"[old.numbers]":[1]}`,
		`{"any":{"@type":"x/shop.Item","qty":1},"at":"2006-01-02T15:04:05Z","took":"1s","mask":"a,b","fields":{"a":[1]},"value":null}`,
		`{"i32":5,"i64":"5","fl":"NaN","db":1e300,"st":"\u0080","by":"_-8="}`,
	} {
		m, _ := decode(f, fuzzed[i], seed)
		f.Add(uint8(i), marshal(f, m))
	}
	f.Fuzz(func(t *testing.T, which uint8, wire []byte) {
		m, types := empty(t, fuzzed[int(which)%len(fuzzed)])
		if !parse(wire, m, types) {
			return
		}
		got, err := jsonmsg.Encode(m, types, jsonmsg.EncodeOptions{})
		if err == nil && !json.Valid(got) {
			t.Fatalf("%x: not JSON: %s", wire, got)
		}
		want, wantErr := reference(m, types)
		if wantErr != nil || bytes.Contains(got, []byte(`"@value":`)) {
			return
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%x: got %s, %v, protojson %s", wire, got, err, want)
		}
		indented, err := jsonmsg.Encode(m, types, jsonmsg.EncodeOptions{Indent: true})
		var compact bytes.Buffer
		if json.Compact(&compact, indented) != nil || err != nil || !bytes.Equal(compact.Bytes(), want) {
			t.Fatalf("%x: indented %s, %v", wire, indented, err)
		}
	})
}

// parse reads a message where dynamicpb can.
func parse(wire []byte, m proto.Message, types codec.Types) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return proto.UnmarshalOptions{AllowPartial: true, RecursionLimit: 100, Resolver: types}.Unmarshal(wire, m) == nil
}

// reference is protojson, without its random spaces and its panics.
func reference(m proto.Message, types codec.Types) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			err = proto.Error
		}
	}()
	b, err := protojson.MarshalOptions{AllowPartial: true, Resolver: types}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = json.Compact(&buf, b)
	return buf.Bytes(), err
}
