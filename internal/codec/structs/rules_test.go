package structs_test

import (
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

// The well-known types must be in the registry.
var _ = []any{anypb.New, durationpb.New, &emptypb.Empty{}, fieldmaskpb.New, structpb.NewNullValue, timestamppb.Now, wrapperspb.Bool}

// rule is a message as text, the Go value that it is read into, and what that
// value is written as: the same text, unless back has another.
type rule[T any] struct {
	name    string
	message protoreflect.FullName
	text    string
	want    T
	back    string
}

func (r rule[T]) run(t *testing.T) {
	t.Run(r.name, func(t *testing.T) {
		t.Helper()
		md := message(t, r.message)
		plan, err := structs.Bind[T](md, structs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got T
		if err := plan.Unmarshal(wireOf(t, md, r.text), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, r.want) {
			t.Errorf("read\n%+v, want\n%+v", got, r.want)
		}
		out, err := plan.Append(nil, &got)
		if err != nil {
			t.Fatal(err)
		}
		if r.back == "" {
			r.back = r.text
		}
		checkSame(t, md, out, wireOf(t, md, r.back))
	})
}

// wireOf encodes a message in text form.
func wireOf(t *testing.T, md protoreflect.MessageDescriptor, text string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(md)
	if err := (prototext.UnmarshalOptions{AllowPartial: true}).Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	return must(proto.MarshalOptions{AllowPartial: true}.Marshal(m))
}

func checkSame(t *testing.T, md protoreflect.MessageDescriptor, got, want []byte) {
	t.Helper()
	opts := proto.UnmarshalOptions{AllowPartial: true}
	a, b := dynamicpb.NewMessage(md), dynamicpb.NewMessage(md)
	if err := opts.Unmarshal(got, a); err != nil {
		t.Fatalf("wrote malformed bytes %x: %v", got, err)
	}
	must(0, opts.Unmarshal(want, b))
	if !proto.Equal(a, b) {
		t.Errorf("wrote\n%v, want\n%v", a, b)
	}
}

func ptr[T any](v T) *T { return &v }

type (
	myInt   int32
	myText  string
	myBytes []byte
	myBool  bool
	myFloat float32
)

type leaf struct {
	Name string
	N    int32
}

const scalarsText = `i32:-1 s32:-2 sf32:-3 i64:-4 s64:-5 sf64:-6 u32:4000000000 f32:8 u64:9 f64:10 fl:1.5 db:-2.5 bo:true st:"text" by:"raw" color:COLOR_BLUE`

func TestScalars(t *testing.T) {
	rule[struct {
		I32, S32, SF32 int32
		I64, S64, SF64 int64
		U32, F32       uint32
		U64, F64       uint64
		Fl             float32
		Db             float64
		Bo             bool
		St             string
		By             []byte
		Color          int32
	}]{
		"own size", "p3.Scalars", scalarsText,
		struct {
			I32, S32, SF32 int32
			I64, S64, SF64 int64
			U32, F32       uint32
			U64, F64       uint64
			Fl             float32
			Db             float64
			Bo             bool
			St             string
			By             []byte
			Color          int32
		}{-1, -2, -3, -4, -5, -6, 4000000000, 8, 9, 10, 1.5, -2.5, true, "text", []byte("raw"), 2},
		"",
	}.run(t)
	type wide struct {
		I32, S32, I64, S64 int
		SF32               int64
		SF64               int
		U32, U64           uint
		F32, F64           uint64
		Fl                 float64
		St                 []byte
		Color              string
		Db                 float64
		Bo                 bool
		By                 []byte
	}
	rule[wide]{
		"wider", "p3.Scalars", scalarsText,
		wide{-1, -2, -4, -5, -3, -6, 4000000000, 9, 8, 10, 1.5, []byte("text"), "COLOR_BLUE", -2.5, true, []byte("raw")},
		"",
	}.run(t)
	type named struct {
		I32   myInt
		St    myText
		By    myBytes
		Bo    myBool
		Fl    myFloat
		Color myText
	}
	rule[named]{
		"named types", "p3.Scalars", `i32:5 st:"s" by:"b" bo:true fl:2 color:17`,
		named{5, "s", []byte("b"), true, 2, "17"},
		"",
	}.run(t)
	rule[named]{"zero", "p3.Scalars", "", named{Color: "COLOR_UNSPECIFIED"}, ""}.run(t)
}

func TestPresence(t *testing.T) {
	type pointers struct {
		N     *int
		S     *string
		B     []byte
		Color *string
		Leaf  *leaf
		OK    *bool
		D     *float64
	}
	rule[pointers]{"pointers unset", "p3.Optionals", "", pointers{}, ""}.run(t)
	rule[pointers]{
		"pointers to zero", "p3.Optionals", `n:0 s:"" b:"" color:COLOR_UNSPECIFIED leaf:{} ok:false d:0`,
		pointers{ptr(0), ptr(""), []byte{}, ptr("COLOR_UNSPECIFIED"), &leaf{}, ptr(false), ptr(0.0)},
		"",
	}.run(t)
	type plain struct {
		N     int32
		S     string
		Color int32
		Leaf  leaf
	}
	rule[plain]{"plain zero is unset", "p3.Optionals", `n:0 s:"" color:COLOR_UNSPECIFIED leaf:{}`, plain{}, " "}.run(t)
	rule[plain]{"plain", "p3.Optionals", `n:1 s:"x" leaf:{n:2}`, plain{N: 1, S: "x", Leaf: leaf{N: 2}}, ""}.run(t)
	type implicit struct {
		I32 *int32
		St  *string
		By  []byte
	}
	rule[implicit]{"pointers to fields without presence", "p3.Scalars", `i32:1 st:"x" by:"y"`, implicit{ptr(int32(1)), ptr("x"), []byte("y")}, ""}.run(t)
}

func TestDefaults(t *testing.T) {
	type defaults struct {
		N     int32
		S     string
		B     bool
		Level string
		D     float64
		Z     int
		Raw   []byte
		First int32
	}
	declared := defaults{7, "hi", true, "HIGH", 0.5, -3, nil, 1}
	rule[defaults]{"absent", "p2.Defaults", "", declared, ""}.run(t)
	rule[defaults]{
		"zero is written", "p2.Defaults", `n:0 s:"" b:false level:LOW d:0 z:0 first:HIGH`,
		defaults{0, "", false, "LOW", 0, 0, nil, 5},
		"",
	}.run(t)
	rule[defaults]{"default is not written", "p2.Defaults", `n:7 s:"hi" b:true level:HIGH z:-3 first:LOW`, declared, " "}.run(t)
	type outer struct {
		Inner defaults
		List  []defaults
		Named map[string]*defaults
	}
	rule[outer]{
		"nested", "p2.Outer", `list:{} list:{n:1} named:{key:"a"}`,
		outer{declared, []defaults{declared, {1, "hi", true, "HIGH", 0.5, -3, nil, 1}}, map[string]*defaults{"a": &declared}},
		"",
	}.run(t)
	type pointers struct{ N *int32 }
	rule[pointers]{"pointers have none", "p2.Defaults", "", pointers{}, ""}.run(t)
}
