package structs_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schematest"
)

const proto3Source = `syntax = "proto3";
package p3;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Scalars {
  int32 i32 = 1; sint32 s32 = 2; sfixed32 sf32 = 3; int64 i64 = 4; sint64 s64 = 5; sfixed64 sf64 = 6;
  uint32 u32 = 7; fixed32 f32 = 8; uint64 u64 = 9; fixed64 f64 = 10; float fl = 11; double db = 12;
  bool bo = 13; string st = 14; bytes by = 15; Color color = 16;
}
message Optionals { optional int32 n = 1; optional string s = 2; optional bytes b = 3; optional Color color = 4; optional Leaf leaf = 5; optional bool ok = 6; optional double d = 7; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_BLUE = 2; }
message Leaf { string name = 1; int32 n = 2; }
message Nest { Leaf leaf = 1; repeated Leaf leaves = 2; Nest next = 3; repeated Nest kids = 4; map<string, Nest> named = 5; }
message Lists { repeated int32 packed = 1; repeated int32 unpacked = 2 [packed = false]; repeated string texts = 3; repeated bytes blobs = 4;
  repeated bool flags = 5; repeated sint64 zs = 6; repeated fixed32 fs = 7; repeated double ds = 8; repeated Color colors = 9; }
message Maps { map<string, string> ss = 1; map<int32, Leaf> il = 2; map<bool, bytes> bb = 3; map<uint64, Color> uc = 4; map<sint64, double> sd = 5; map<string, Leaf> sl = 6; map<string, google.protobuf.Timestamp> st = 7; }
message OneOf { oneof choice { string name = 1; int32 number = 2; Leaf leaf = 3; bytes raw = 4; google.protobuf.Timestamp at = 5; google.protobuf.Value value = 6; } string other = 7; }
message Known {
  google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.Struct fields = 3; google.protobuf.Value value = 4;
  google.protobuf.ListValue list = 5; google.protobuf.FieldMask mask = 6; google.protobuf.Empty empty = 7; google.protobuf.Any any = 8;
  google.protobuf.StringValue text = 9; google.protobuf.Int64Value big = 10; google.protobuf.BoolValue flag = 11; google.protobuf.BytesValue raw = 12;
  repeated google.protobuf.Timestamp times = 13; repeated google.protobuf.Value values = 14; google.protobuf.DoubleValue ratio = 15;
}
message Alike { int32 foo_bar = 1; int32 foobar = 2; }
`

const proto2Source = `syntax = "proto2";
package p2;
enum Level { LOW = 1; HIGH = 5; }
enum Grade { NONE = 0; GOOD = 1; BEST = 5; }
message Defaults { optional int32 n = 1 [default = 7]; optional string s = 2 [default = "hi"]; optional bool b = 3 [default = true];
  optional Level level = 4 [default = HIGH]; optional double d = 5 [default = 0.5]; optional sint32 z = 6 [default = -3]; optional bytes raw = 7 [default = "x"]; optional Level first = 8; }
message Outer { optional Defaults inner = 1; repeated Defaults list = 2; map<string, Defaults> named = 3; }
message Required { required int32 id = 1; required string name = 2; optional Required next = 3; repeated Required list = 4; map<string, Required> named = 5;
  oneof pick { Required left = 6; int32 right = 7; } }
message Groups { optional group One = 1 { optional int32 n = 2; optional group Two = 3 { optional string s = 4; } } repeated group Many = 5 { optional int32 n = 6; } }
message Closed { optional Grade one = 1; repeated Grade many = 2; repeated Grade packed = 3 [packed = true]; map<string, Grade> named = 4; oneof pick { Grade a = 5; int32 b = 6; } }
message Text { optional string s = 1; }
`

const editionsSource = `edition = "2023";
package ed;
message Mixed {
  int32 explicit = 1;
  int32 implicit = 2 [features.field_presence = IMPLICIT];
  int32 required = 3 [features.field_presence = LEGACY_REQUIRED];
  Child child = 4 [features.message_encoding = DELIMITED];
  repeated int32 expanded = 5 [features.repeated_field_encoding = EXPANDED];
  string loose = 6 [features.utf8_validation = NONE];
  string strict = 7;
}
message Child { int32 n = 1; Child child = 2 [features.message_encoding = DELIMITED]; }
`

var testSchema = schematest.Compile(map[string]string{"p3.proto": proto3Source, "p2.proto": proto2Source, "ed.proto": editionsSource})

// message finds a message of the sources.
func message(t testing.TB, name protoreflect.FullName) protoreflect.MessageDescriptor {
	t.Helper()
	return schematest.Message(t, testSchema, name)
}
