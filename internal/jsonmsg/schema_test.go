package jsonmsg_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/schematest"
)

const shopSource = `syntax = "proto3";
package shop;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Order {
  repeated Item items = 1;
  map<string, Item> by_name = 2;
  map<int32, Color> colors = 3;
  map<bool, int64> flags = 4;
  oneof payment { string card = 5; int64 cash = 6; Item barter = 7; }
  optional string note = 8;
  Scalars scalars = 9;
  Known known = 10;
  Order parent = 11;
}
enum Color { COLOR_UNSPECIFIED = 0; RED = 1; GREEN = 2; BLUE = 3; }
message Item { Color color = 1; string name = 2; int32 qty = 3; repeated string tags = 4; }
message Scalars {
  int32 i32 = 1; sint32 s32 = 2; sfixed32 sf32 = 3; int64 i64 = 4; sint64 s64 = 5; sfixed64 sf64 = 6;
  uint32 u32 = 7; fixed32 f32 = 8; uint64 u64 = 9; fixed64 f64 = 10; float fl = 11; double db = 12;
  bool bo = 13; string st = 14; bytes by = 15;
}
message Known {
  google.protobuf.Any any = 1; google.protobuf.Timestamp at = 2; google.protobuf.Duration took = 3;
  google.protobuf.FieldMask mask = 4; google.protobuf.Struct fields = 5; google.protobuf.Value value = 6;
  google.protobuf.ListValue list = 7; google.protobuf.Empty empty = 8; google.protobuf.Int32Value number = 9;
  google.protobuf.NullValue nothing = 10; repeated google.protobuf.Value values = 11;
  repeated google.protobuf.Any anys = 12; google.protobuf.BytesValue raw = 13; repeated google.protobuf.NullValue nothings = 14;
}
message Empty {}
message Many {
  int32 f01 = 1; int32 f02 = 2; int32 f03 = 3; int32 f04 = 4; int32 f05 = 5; int32 f06 = 6; int32 f07 = 7; int32 f08 = 8;
  int32 f09 = 9; int32 f10 = 10; int32 f11 = 11; int32 f12 = 12; int32 f13 = 13; int32 f14 = 14; int32 f15 = 15; int32 f16 = 16;
  int32 f17 = 17; int32 f18 = 18; int32 f19 = 19; int32 f20 = 20; int32 f21 = 21; int32 f22 = 22; int32 f23 = 23;
}
`

const oldSource = `syntax = "proto2";
package old;
message Root {
  required string name = 1;
  optional group Inner = 2 { required int32 x = 1; }
  repeated Root kids = 3;
  map<string, Root> named = 4;
  optional bytes raw = 5;
  optional string text = 6;
  extensions 100 to 199;
}
message Other { optional int32 n = 1; extensions 100 to 199; }
extend Root { optional Root more = 100; repeated int32 numbers = 101; }
extend Other { optional int32 far = 100; }
`

var testSchema = schematest.Compile(map[string]string{"shop.proto": shopSource, "old.proto": oldSource})

// empty returns an empty message of one of the schemas, and the types to use with it.
func empty(t testing.TB, name protoreflect.FullName) (*dynamicpb.Message, *schema.Types) {
	t.Helper()
	md, file := schematest.Find(t, testSchema, name)
	return dynamicpb.NewMessage(md.(protoreflect.MessageDescriptor)), file.Types()
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{AllowPartial: true, Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
