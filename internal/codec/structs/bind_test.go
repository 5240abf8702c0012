package structs_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

type HelloRequest struct {
	I32 string
	St  int32
	Sx  string
}

// bindError returns the lines of the error of binding a T.
func bindError[T any](t *testing.T, name protoreflect.FullName) []string {
	t.Helper()
	_, err := structs.Bind[T](message(t, name), structs.Options{})
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestBindErrors(t *testing.T) {
	type pointer struct{ *base }
	type twice struct {
		A int32 `proto:"i32"`
		B int32 `proto:"i32"`
	}
	type innerWrong struct {
		Leaves []*struct{ Name int32 }
		Named  map[string]struct{ Nothing int32 }
	}
	for name, c := range map[string]struct{ got, want []string }{
		"all at once": {bindError[HelloRequest](t, "p3.Scalars"), []string{
			"HelloRequest.I32 (string) cannot hold p3.Scalars.i32 (int32): make it int32, *int32, int64 or int",
			"HelloRequest.St (int32) cannot hold p3.Scalars.st (string): make it string, *string or []byte",
			"HelloRequest.Sx matches no field of p3.Scalars (did you mean \"st\" or \"s32\" or \"s64\"?): rename it, or tag it `proto:\"-\"`",
		}},
		"narrow": {bindError[struct {
			I32 int16
			I64 int32
			Db  float32
			U64 uint32
		}](t, "p3.Scalars"), []string{
			"struct.I32 (int16) cannot hold p3.Scalars.i32 (int32): make it int32, *int32, int64 or int",
			"struct.I64 (int32) cannot hold p3.Scalars.i64 (int64): make it int64, *int64 or int",
			"struct.Db (float32) cannot hold p3.Scalars.db (double): make it float64 or *float64",
			"struct.U64 (uint32) cannot hold p3.Scalars.u64 (uint64): make it uint64, *uint64 or uint",
		}},
		"sign": {bindError[struct{ U32 int64 }](t, "p3.Scalars"), []string{
			"struct.U32 (int64) cannot hold p3.Scalars.u32 (uint32): make it uint32, *uint32, uint64 or uint",
		}},
		"oneof": {bindError[struct {
			Name string
			Leaf leaf
			Raw  string
			At   time.Time
		}](t, "p3.OneOf"), []string{
			"struct.Name (string) cannot hold p3.OneOf.name (string in the oneof choice): make it *string or []byte",
			"struct.Leaf (structs_test.leaf) cannot hold p3.OneOf.leaf (p3.Leaf in the oneof choice): make it a pointer to a struct for p3.Leaf",
			"struct.Raw (string) cannot hold p3.OneOf.raw (bytes in the oneof choice): make it []byte",
			"struct.At (time.Time) cannot hold p3.OneOf.at (google.protobuf.Timestamp in the oneof choice): make it *time.Time",
		}},
		"lists and maps": {bindError[struct {
			Packed []int16
			Texts  string
			Colors []*int32
		}](t, "p3.Lists"), []string{
			"struct.Packed ([]int16) cannot hold p3.Lists.packed (repeated int32): make it []int32, []int64 or []int",
			"struct.Texts (string) cannot hold p3.Lists.texts (repeated string): make it []string or [][]byte",
			"struct.Colors ([]*int32) cannot hold p3.Lists.colors (repeated enum p3.Color): make it []int32 or []string",
		}},
		"maps": {bindError[struct {
			SS map[string]*string
			IL map[string]leaf
		}](t, "p3.Maps"), []string{
			"struct.SS (map[string]*string) cannot hold p3.Maps.ss (map<string, string>): make it map[string]string",
			"struct.IL (map[string]structs_test.leaf) cannot hold p3.Maps.il (map<int32, p3.Leaf>): make it map[int32]T, where T is a struct for p3.Leaf",
		}},
		"known types": {bindError[struct {
			At   string
			Took time.Time
			Text **string
			Any  *durationpb.Duration
		}](t, "p3.Known"), []string{
			"struct.At (string) cannot hold p3.Known.at (google.protobuf.Timestamp): make it time.Time or *time.Time",
			"struct.Took (time.Time) cannot hold p3.Known.took (google.protobuf.Duration): make it time.Duration or *time.Duration",
			"struct.Text (**string) cannot hold p3.Known.text (google.protobuf.StringValue): make it string or *string",
			"struct.Any (*durationpb.Duration) cannot hold p3.Known.any (google.protobuf.Any): make it a struct for google.protobuf.Any, or a pointer to one",
		}},
		"nested": {bindError[innerWrong](t, "p3.Nest"), []string{
			"struct.Name (int32) cannot hold p3.Leaf.name (string): make it string, *string or []byte",
			"struct.Nothing matches no field of p3.Nest (it has leaf, leaves, next, kids, named): rename it, or tag it `proto:\"-\"`",
		}},
		"embedded pointer": {bindError[pointer](t, "p3.Scalars"), []string{
			"pointer.base is embedded by pointer: embed the struct itself, or tag it with the message field that it holds",
		}},
		"twice": {bindError[twice](t, "p3.Scalars"), []string{
			`twice.A and twice.B are both bound to p3.Scalars.i32: tag one of them with another name, or with "-"`,
		}},
		"ambiguous": {bindError[struct{ FooBar int32 }](t, "p3.Alike"), []string{
			"struct.FooBar matches both p3.Alike.foo_bar and p3.Alike.foobar: tag it with one of them",
		}},
		"tag": {bindError[struct {
			A int32  `proto:"i23"`
			B int32  `proto:"i32,omitempty"`
			C string `proto:",unknown"`
			d int32  `proto:"i32"`
		}](t, "p3.Scalars"), []string{
			`struct.A is tagged "i23", which is not a field of p3.Scalars (did you mean "i32" or "i64"?)`,
			`struct.B: its tag has the unknown option "omitempty": the only one is proto:",unknown"`,
			`struct.C (string) cannot hold unknown fields: make it []byte`,
			`struct.d has a proto tag but is not exported: export it or drop the tag`,
		}},
		"root": {bindError[int](t, "p3.Scalars"), []string{"int cannot hold the message p3.Scalars: make it a struct"}},
		"fine": {bindError[struct{}](t, "p3.Scalars"), nil},
	} {
		got, want := strings.Join(c.got, "\n"), strings.Join(c.want, "\n")
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}
