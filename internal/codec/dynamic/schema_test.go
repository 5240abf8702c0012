package dynamic_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schematest"
)

const proto3Source = `syntax = "proto3";
package p3;
import "google/protobuf/any.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
message Scalars {
  int32 i32 = 1; sint32 s32 = 2; sfixed32 sf32 = 3; int64 i64 = 4; sint64 s64 = 5; sfixed64 sf64 = 6;
  uint32 u32 = 7; fixed32 f32 = 8; uint64 u64 = 9; fixed64 f64 = 10; float fl = 11; double db = 12;
  bool bo = 13; string st = 14; bytes by = 15; Color color = 16;
}
message Optionals { optional int32 i32 = 1; optional sint32 s32 = 2; optional sfixed32 sf32 = 3; optional int64 i64 = 4; optional sint64 s64 = 5;
  optional uint32 u32 = 7; optional fixed64 f64 = 10; optional float fl = 11; optional double db = 12; optional bool bo = 13; optional string st = 14;
  optional bytes by = 15; optional Color color = 16; optional Leaf leaf = 17; }
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_BLUE = 2; }
message Leaf { string name = 1; int32 n = 2; }
message Nest { Leaf leaf = 1; repeated Leaf leaves = 2; Nest next = 3; repeated Nest kids = 4; map<string, Nest> named = 5; }
message Lists { repeated int32 i32 = 1; repeated sint32 s32 = 2; repeated sfixed32 sf32 = 3; repeated int64 i64 = 4; repeated sint64 s64 = 5;
  repeated uint32 u32 = 7 [packed = false]; repeated fixed64 f64 = 10 [packed = false]; repeated float fl = 11; repeated double db = 12; repeated bool bo = 13;
  repeated string st = 14; repeated bytes by = 15; repeated Color color = 16; repeated Color loose = 17 [packed = false]; }
message Maps { map<string, string> ss = 1; map<int32, Leaf> il = 2; map<bool, bytes> bb = 3; map<uint64, Color> uc = 4; map<sint64, double> sd = 5;
  map<string, Leaf> sl = 6; map<sfixed32, float> ff = 7; map<fixed64, sint32> fs = 8; map<sint32, bool> sb = 9; map<uint32, int64> ui = 10;
  map<int64, fixed32> lf = 11; map<fixed32, uint64> fu = 12; map<sfixed64, string> fss = 13; map<string, Wide> wide = 14; map<string, google.protobuf.Value> v = 15; }
message OneOf { oneof choice { string name = 1; int32 number = 2; Leaf leaf = 3; bytes raw = 4; fixed64 fix = 5; sint64 zig = 6; uint64 big = 7; double db = 8; Leaf other_leaf = 9; string alias = 10; }
  string other = 11; oneof second { int64 a = 13; bool b = 12; } }
message Split { int32 late = 9; oneof o { string five = 5; string one = 1; Leaf twelve = 12; } int32 six = 6; }
message Known { google.protobuf.Timestamp at = 1; google.protobuf.Struct fields = 2; google.protobuf.Value value = 3; google.protobuf.Any any = 4; repeated google.protobuf.Value values = 5; }
message Empty {}
message HighNumbers { int32 a = 128; string b = 2047; Leaf c = 18000; repeated int32 d = 536870911; map<string, int32> e = 536870910; }
message Wide {
` + wideFields + `}
`

// wideFields are more fields than a word has bits.
const wideFields = `int32 f1 = 1; string f2 = 2; Leaf f3 = 3; repeated int32 f4 = 4; bytes f5 = 5; int32 f6 = 6; int32 f7 = 7; int32 f8 = 8; int32 f9 = 9;
int32 f10 = 10; int32 f11 = 11; int32 f12 = 12; int32 f13 = 13; int32 f14 = 14; int32 f15 = 15; int32 f16 = 16; int32 f17 = 17; int32 f18 = 18; int32 f19 = 19;
int32 f20 = 20; int32 f21 = 21; int32 f22 = 22; int32 f23 = 23; int32 f24 = 24; int32 f25 = 25; int32 f26 = 26; int32 f27 = 27; int32 f28 = 28; int32 f29 = 29;
int32 f30 = 30; int32 f31 = 31; int32 f32 = 32; int32 f33 = 33; int32 f34 = 34; int32 f35 = 35; int32 f36 = 36; int32 f37 = 37; int32 f38 = 38; int32 f39 = 39;
int32 f40 = 40; int32 f41 = 41; int32 f42 = 42; int32 f43 = 43; int32 f44 = 44; int32 f45 = 45; int32 f46 = 46; int32 f47 = 47; int32 f48 = 48; int32 f49 = 49;
int32 f50 = 50; int32 f51 = 51; int32 f52 = 52; int32 f53 = 53; int32 f54 = 54; int32 f55 = 55; int32 f56 = 56; int32 f57 = 57; int32 f58 = 58; int32 f59 = 59;
oneof across { int32 f60 = 60; string f61 = 61; int64 f62 = 62; Leaf f63 = 63; int64 f64 = 64; string f65 = 65; bytes f66 = 66; int32 f67 = 67; int32 f68 = 68; }
int32 f69 = 69; string f70 = 70; repeated Leaf f71 = 71; map<string, string> f72 = 72;
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
message Closed { optional Grade one = 1; repeated Grade many = 2; repeated Grade packed = 3 [packed = true]; map<string, Grade> named = 4; oneof pick { Grade a = 5; int32 b = 6; }
  repeated Level levels = 7; }
message Text { optional string s = 1; repeated string list = 2; map<string, string> map = 3; }
message Extendable { optional int32 n = 1; extensions 100 to max; }
message Note { optional string text = 1; required int32 id = 2; }
message Mild { optional string text = 1; extensions 10 to 20; }
extend Extendable {
  optional int32 x_int = 100; optional string x_text = 101; optional bytes x_raw = 102; optional Note x_note = 103; optional Grade x_grade = 104;
  repeated sint32 x_ints = 105; repeated sint32 x_packed = 106 [packed = true]; repeated string x_texts = 107; repeated Mild x_milds = 108; repeated Grade x_grades = 109 [packed = true];
  optional group XGroup = 110 { optional int32 n = 1; } repeated group XGroups = 111 { optional int32 n = 1; } optional double x_double = 112; optional Extendable x_self = 113;
  repeated bytes x_raws = 114; optional Mild x_mild = 115; optional sfixed64 x_fixed = 116 [default = 9]; repeated float x_floats = 117;
}
extend Mild { optional string x_inner = 10; }
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
  repeated Child children = 8 [features.message_encoding = DELIMITED];
  Shut shut = 9;
}
message Child { int32 n = 1; Child child = 2 [features.message_encoding = DELIMITED]; }
enum Shut { option features.enum_type = CLOSED; A = 1; B = 2; }
`

const delimitedSource = `edition = "2023";
package de;
option features.message_encoding = DELIMITED;
message All { All one = 1; repeated All many = 2; map<string, All> named = 3; map<int32, string> plain = 4; oneof pick { All left = 5; int32 right = 6; } }
`

var testSchema = schematest.Compile(map[string]string{
	"p3.proto": proto3Source, "p2.proto": proto2Source, "ed.proto": editionsSource, "de.proto": delimitedSource,
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// message finds a message of the sources.
func message(t testing.TB, name protoreflect.FullName) protoreflect.MessageDescriptor {
	t.Helper()
	return schematest.Message(t, testSchema, name)
}

// eachMessage visits the messages of the sources that are not nested.
func eachMessage(visit func(protoreflect.MessageDescriptor)) {
	for _, f := range testSchema.Files() {
		for i := range f.Descriptor().Messages().Len() {
			visit(f.Descriptor().Messages().Get(i))
		}
	}
}
