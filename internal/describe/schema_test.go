package describe_test

import (
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/schematest"
	"github.com/dyngate/dyngate/protos"
)

// nasty has what is hard to print and hard to fill.
var nasty = map[string]string{
	"two.proto": `// Copyright nobody.

syntax = "proto2";

// About the package.
package two;

import "google/protobuf/descriptor.proto";

option java_package = "x.\"y\"\n";
option optimize_for = SPEED;

// M has
// everything.
message M {
  required string name = 1 [default = "a\"\\\n\001é"];
  optional bytes raw = 2 [default = "\000\377'\""];
  optional double d = 3 [default = -inf];
  optional float f = 11 [default = inf];
  optional float g = 12 [default = nan];
  optional E e = 4 [default = B];
  repeated int32 packed = 5 [packed = true];
  map<string, M> children = 6; // trailing
  map<int32, E> kinds = 16;
  // A group.
  required group Inner = 7 { required int32 x = 1; }
  oneof choice {
    M self = 8;
    group Two = 9 { optional bool y = 1; }
  }
  optional string odd = 10 [json_name = "o-d-d", deprecated = true];
  optional string like_extension = 13 [json_name = "[two.more]"];
  enum E { option allow_alias = true; A = 0; B = 1; C = 1 [deprecated = true]; reserved 5 to 7, 9; reserved "OLD"; }
  // Only here.
  message Nested { extend M { optional Nested nested = 101; } }
  reserved 50 to 60, 70;
  reserved "gone", "lost";
  extensions 100 to 199;
  extensions 1000 to max [verification = UNVERIFIED];
}
extend M { optional string more = 100; repeated group Grown = 102 { optional int32 z = 1; } }
// Notes on methods.
extend google.protobuf.MethodOptions { optional M note = 50000; repeated string tags = 50001; }
extend google.protobuf.FieldOptions { optional string hint = 50000; }
service S {
  // Does it.
  rpc Do(M) returns (stream M) {
    option deprecated = true;
    option (note) = { name: "x" inner { x: 1 } [two.more]: "y" };
    option (tags) = "a";
    option (tags) = "b";
  }
}
message Back { required Forth forth = 1; }
message Forth { optional Back back = 1; required string other = 2; }
message Wide { required Wider a = 1; required Wider b = 2; optional Wide self = 3; }
message Wider { required Back a = 1; required Back b = 2; repeated Wide c = 3; }
`,
	"e2023.proto": `edition = "2023";
package e23;
import public "two.proto";
option features.field_presence = IMPLICIT;
// Msg.
message M {
  string name = 1 [features.field_presence = EXPLICIT, (two.hint) = "hi"];
  M child = 2 [features.message_encoding = DELIMITED];
  int32 must = 4 [features.field_presence = LEGACY_REQUIRED];
  repeated int32 list = 3 [features.repeated_field_encoding = EXPANDED];
  reserved gone;
  enum Closed { option features.enum_type = CLOSED; ONE = 1; }
  Closed closed = 5 [features.field_presence = EXPLICIT];
}
message Empty {}
`,
	"three.proto": `syntax = "proto3";
package three.sub;
import "e2023.proto";
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message M {
  optional string maybe = 1;
  string plain = 2 [(buf.validate.field).string.min_len = 3];
  repeated int32 n = 3 [packed = false];
  oneof o { int32 a = 4; string b = 8; }
  optional e23.M m = 5;
  message In { message Deep { int32 x = 1; } Deep d = 1; }
  In.Deep deep = 6;
  map<string, In.Deep> deeps = 7;
}
message Kinds {
  int32 i32 = 1; sint32 s32 = 2; sfixed32 sf32 = 3; int64 i64 = 4; sint64 s64 = 5; sfixed64 sf64 = 6;
  uint32 u32 = 7; fixed32 f32 = 8; uint64 u64 = 9; fixed64 f64 = 10; float fl = 11; double db = 12;
  bool bo = 13; string st = 14; bytes by = 15; Color color = 16; repeated Color colors = 17;
  map<int64, bytes> mi = 18; map<bool, Color> mb = 19; map<string, Kinds> ms = 20; map<uint32, double> mu = 21;
}
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; }
message Known {
  google.protobuf.Any any = 1; google.protobuf.Timestamp at = 2; google.protobuf.Duration took = 3;
  google.protobuf.FieldMask mask = 4; google.protobuf.Struct fields = 5; google.protobuf.Value value = 6;
  google.protobuf.ListValue list = 7; google.protobuf.Empty empty = 8; google.protobuf.NullValue nothing = 9;
  repeated google.protobuf.NullValue nothings = 10; repeated google.protobuf.Value values = 11; map<string, google.protobuf.Timestamp> times = 12;
  google.protobuf.DoubleValue d = 13; google.protobuf.FloatValue f = 14; google.protobuf.Int64Value i64 = 15; google.protobuf.UInt64Value u64 = 16;
  google.protobuf.Int32Value i32 = 17; google.protobuf.UInt32Value u32 = 18; google.protobuf.BoolValue b = 19; google.protobuf.StringValue s = 20; google.protobuf.BytesValue by = 21;
}
message Tree { string label = 1; Tree left = 2; Tree right = 3; repeated Tree more = 4; }
/* Block comment
 * on two lines. */
service U {
  rpc Do(M) returns (e23.M) {
    option (google.api.http) = {
      post: "/v1/{name=messages/*}"
      body: "*"
      additional_bindings { get: "/v2" }
    };
  }
  rpc Up(stream M) returns (stream e23.M);
  rpc Both(.three.sub.M.In) returns (google.protobuf.Empty);
}
`,
}

var testSchema = schematest.Compile(nasty, schema.FS("protos", protos.FS))
