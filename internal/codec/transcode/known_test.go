package transcode_test

import (
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	_ "google.golang.org/protobuf/types/known/anypb"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/emptypb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/schematest"
)

const knownProto = `syntax = "proto3"; package known;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message All {
  google.protobuf.Any any = 1;
  google.protobuf.Duration duration = 2;
  google.protobuf.Empty empty = 3;
  google.protobuf.FieldMask mask = 4;
  google.protobuf.Struct struct = 5;
  google.protobuf.Timestamp timestamp = 6;
  google.protobuf.Value value = 7;
  google.protobuf.ListValue list_value = 8;
  google.protobuf.NullValue null_value = 9;
  google.protobuf.BoolValue bool_value = 10;
  google.protobuf.BytesValue bytes_value = 11;
  google.protobuf.DoubleValue double_value = 12;
  google.protobuf.FloatValue float_value = 13;
  google.protobuf.Int32Value int32_value = 14;
  google.protobuf.Int64Value int64_value = 15;
  google.protobuf.StringValue string_value = 16;
  google.protobuf.UInt32Value uint32_value = 17;
  google.protobuf.UInt64Value uint64_value = 18;
  repeated google.protobuf.Any anys = 19;
  repeated google.protobuf.Value values = 20;
  repeated google.protobuf.NullValue nulls = 21;
  repeated google.protobuf.Int64Value int64_values = 22;
  map<string, google.protobuf.Value> value_map = 23;
  map<string, google.protobuf.NullValue> null_map = 24;
  map<int32, google.protobuf.Duration> duration_map = 25;
  map<bool, google.protobuf.Any> any_map = 26;
  oneof kind {
    google.protobuf.NullValue kind_null = 27;
    google.protobuf.Value kind_value = 28;
    google.protobuf.Timestamp kind_timestamp = 29;
    All kind_all = 30;
  }
  optional google.protobuf.NullValue maybe_null = 31;
}`

var known = func() *subject {
	d, _ := schematest.Compile(map[string]string{"known.proto": knownProto}).Find("known.All")
	return newSubject(d.(protoreflect.MessageDescriptor))
}()

// documents are JSON of known.All, valid or not.
var documents = []string{
	`{}`, ` { } `, `null`, `[]`, ``, `{`, `{}}`, `{} x`, `{"any":{}}`,
	`{"any":{"@type":"type.googleapis.com/known.All","duration":"1s","any":{"value":"x","@type":"a/google.protobuf.StringValue"}}}`,
	`{"any":{"value":"1.5s","@type":"x/google.protobuf.Duration"}}`, `{"any":{"@type":"x/google.protobuf.Duration"}}`,
	`{"any":{"@type":"x/google.protobuf.Empty"}}`, `{"any":{"@type":"x/google.protobuf.Empty","value":{}}}`,
	`{"any":{"@type":"x/google.protobuf.Value","value":null}}`, `{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/known.All"}}}`,
	`{"any":{"@type":"x/no.Such"}}`, `{"any":{"@type":""}}`, `{"any":{"@type":1}}`, `{"any":{"a":1}}`, `{"any":{"@type":"x/known.All","@type":"x/known.All"}}`,
	`{"any":{"@type":"x/known.All","unknown":[[[{}]]]}}`, `{"anys":[{},null]}`, `{"anyMap":{"true":{},"false":{}}}`,
	`{"duration":"1s"}`, `{"duration":"-1.000000001s"}`, `{"duration":".5s"}`, `{"duration":"1.s"}`, `{"duration":"+1s"}`, `{"duration":".s"}`, `{"duration":"s"}`,
	`{"duration":"-s"}`, `{"duration":"01s"}`, `{"duration":"315576000000s"}`, `{"duration":"315576000001s"}`, `{"duration":"0.0000000001s"}`, `{"duration":"-0.5s"}`,
	`{"duration":" 1s"}`, `{"duration":1}`, `{"duration":"315576000000.999999999s"}`,
	`{"empty":{}}`, `{"empty":{"a":1}}`, `{"empty":null}`, `{"empty":[]}`,
	`{"mask":"a,bC.dE"}`, `{"mask":""}`, `{"mask":" a,b "}`, `{"mask":"a_b"}`, `{"mask":","}`, `{"mask":"a,"}`, `{"mask":"A"}`, `{"mask":"a1.b2"}`,
	`{"struct":{"a":null,"b":[1,{"c":"d"}],"e":{}}}`, `{"struct":{"a":1,"a":2}}`, `{"struct":{"a":1e400}}`, `{"struct":{"":"\u0000"}}`,
	`{"timestamp":"2006-01-02T15:04:05Z"}`, `{"timestamp":"2006-01-02T15:04:05.123456789+07:00"}`, `{"timestamp":"2006-01-02T15:04:05.1234567890Z"}`,
	`{"timestamp":"0001-01-01T00:00:00Z"}`, `{"timestamp":"0000-12-31T23:59:59Z"}`, `{"timestamp":"9999-12-31T23:59:59.999999999Z"}`, `{"timestamp":"2006-01-02t15:04:05Z"}`,
	`{"timestamp":"2006-01-02T15:04:05,5Z"}`, `{"timestamp":"2006-02-30T15:04:05Z"}`, `{"timestamp":"2006-01-02T15:04:60Z"}`, `{"timestamp":"1969-12-31T23:59:59.5Z"}`,
	`{"timestamp":"2000-02-29T00:00:00Z"}`, `{"timestamp":"1900-02-29T00:00:00Z"}`, `{"timestamp":"2006-01-02T24:00:00Z"}`, `{"timestamp":"2006-01-02T15:04:05.Z"}`,
	`{"value":null}`, `{"value":true}`, `{"value":"x"}`, `{"value":-0.5}`, `{"value":[[],{}]}`, `{"listValue":[null,"NaN"]}`, `{"listValue":{}}`,
	`{"nullValue":null}`, `{"nullValue":"NULL_VALUE"}`, `{"nullValue":0}`, `{"nullValue":1}`, `{"nulls":[null,"NULL_VALUE",0]}`, `{"nullMap":{"a":null}}`, `{"maybeNull":null}`,
	`{"boolValue":true,"bytesValue":"AQI=","doubleValue":"NaN","floatValue":1e-40,"int32Value":1.0,"int64Value":"-9223372036854775808","stringValue":"","uint32Value":4294967295,"uint64Value":"18446744073709551615"}`,
	`{"boolValue":false,"bytesValue":"","doubleValue":0,"floatValue":"-Infinity","int32Value":"0","int64Value":0}`,
	`{"int64Values":["1",2,null]}`, `{"int64Values":[0,0]}`, `{"int32Value":2147483648}`, `{"floatValue":1e39}`, `{"uint32Value":-1}`, `{"uint32Value":-0}`, `{"boolValue":"true"}`,
	`{"kindNull":null}`, `{"kindNull":null,"kindValue":null}`, `{"kindTimestamp":null,"kindValue":1}`, `{"kindAll":{"kindAll":{}}}`, `{"kind_all":{},"kindAll":{}}`,
	`{"durationMap":{"1":"1s","-1":"0s","01":"2s"}}`, `{"durationMap":{"1":null}}`, `{"valueMap":{"a":null}}`, `{"durationMap":{"1":"1s","+1":"2s"}}`,
	`{"stringValue":"\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"}`, `{"stringValue":"\ud83d"}`, `{"stringValue":"\x"}`, "{\"stringValue\":\"\xff\"}", "{\"stringValue\":\"\n\"}", `{"\u0061ny":{}}`,
	`{"bytesValue":"-_-_"}`, `{"bytesValue":"+/+/"}`, `{"bytesValue":"-/+_"}`, `{"bytesValue":"YQ"}`, `{"bytesValue":"YQ="}`, `{"bytesValue":"YR=="}`, `{"bytesValue":"Y\nQ=="}`,
}

// TestKnown transcodes documents of the well-known types.
func TestKnown(t *testing.T) {
	for _, doc := range documents {
		for _, ignoreUnknown := range []bool{false, true} {
			known.checkDecode(t, []byte(doc), ignoreUnknown)
		}
	}
}

// FuzzKnown transcodes changed documents, and changed messages, of the well-known
// types.
func FuzzKnown(f *testing.F) {
	for i, doc := range documents {
		f.Add(uint64(i), []byte(doc))
	}
	f.Fuzz(func(t *testing.T, seed uint64, doc []byte) {
		r := rand.New(rand.NewPCG(seed, 1))
		known.checkDecode(t, doc, seed%2 == 0)
		for range 20 {
			known.checkDecode(t, mutate(r, doc), r.IntN(2) == 0)
		}
		known.checkEncode(t, doc)
		w := randproto.NewWire(seed)
		w.Extensions = make(map[protoreflect.FullName][]protoreflect.FieldDescriptor)
		b := w.Message(known.md, 4)
		known.checkEncode(t, b)
		known.checkEncode(t, w.Mutate(b, doc))
		m := known.own.Message(known.md).NewMessage()
		if known.unmarshal(doc, m) != nil {
			return
		}
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if again := known.checkEncode(t, b); again != nil {
			known.checkDecode(t, again, false)
			known.checkEncode(t, w.Mutate(b, doc))
		}
	})
}
