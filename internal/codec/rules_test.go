package codec_test

import (
	"reflect"
	"testing"
	"time"

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

	"github.com/dyngate/dyngate/internal/codec"
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
		plan, err := codec.Bind[T](md, codec.Options{})
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

type node struct {
	Leaf   leaf
	Leaves []*leaf
	Next   *node
	Kids   []node
	Named  map[string]*node
}

type base struct{ I32 int32 }

func TestNesting(t *testing.T) {
	rule[node]{
		"recursive", "p3.Nest", `leaf:{name:"a"} leaves:{} leaves:{n:1} next:{next:{leaf:{n:3}}} kids:{} kids:{kids:{leaf:{n:4}}} named:{key:"k" value:{named:{key:"l" value:{}}}}`,
		node{
			Leaf: leaf{Name: "a"}, Leaves: []*leaf{{}, {N: 1}}, Next: &node{Next: &node{Leaf: leaf{N: 3}}},
			Kids:  []node{{}, {Kids: []node{{Leaf: leaf{N: 4}}}}},
			Named: map[string]*node{"k": {Named: map[string]*node{"l": {}}}},
		},
		"",
	}.run(t)
	type values struct {
		Leaves []leaf
		Leaf   *leaf
		Named  map[string]node
	}
	rule[values]{
		"by value", "p3.Nest", `leaf:{} leaves:{n:1} leaves:{} named:{key:"k" value:{next:{}}}`,
		values{[]leaf{{N: 1}, {}}, &leaf{}, map[string]node{"k": {Next: &node{}}}},
		"",
	}.run(t)
	type embedded struct {
		base
		St string
	}
	rule[embedded]{"embedded", "p3.Scalars", `i32:1 st:"x"`, embedded{base{1}, "x"}, ""}.run(t)
	type hidden struct {
		base
		I32 int64
	}
	rule[hidden]{"hidden", "p3.Scalars", `i32:1`, hidden{I32: 1}, ""}.run(t)
	type tagged struct {
		Text   string   `proto:"st"`
		Number int32    `proto:"i32"`
		Skip   chan int `proto:"-"`
	}
	rule[tagged]{"tags", "p3.Scalars", `i32:1 st:"x"`, tagged{Text: "x", Number: 1}, ""}.run(t)
}

func TestLists(t *testing.T) {
	type lists struct {
		Packed, Unpacked []int32
		Texts            []string
		Blobs            [][]byte
		Flags            []bool
		Zs               []int64
		Fs               []uint
		Ds               []float64
		Colors           []string
	}
	rule[lists]{
		"all", "p3.Lists", `packed:[1,-1,300] unpacked:[1,2] texts:["a",""] blobs:["","b"] flags:[true,false] zs:[-1,1] fs:[7,8] ds:[0,1.5] colors:[COLOR_RED,COLOR_UNSPECIFIED]`,
		lists{
			[]int32{1, -1, 300},
			[]int32{1, 2},
			[]string{"a", ""},
			[][]byte{{}, []byte("b")},
			[]bool{true, false},
			[]int64{-1, 1},
			[]uint{7, 8},
			[]float64{0, 1.5},
			[]string{"COLOR_RED", "COLOR_UNSPECIFIED"},
		},
		"",
	}.run(t)
	type narrow struct {
		Fs     []uint32
		Colors []myInt
		Texts  []myText
	}
	rule[narrow]{"more", "p3.Lists", `fs:7 colors:[COLOR_RED] texts:"x"`, narrow{[]uint32{7}, []myInt{1}, []myText{"x"}}, ""}.run(t)
}

func TestMaps(t *testing.T) {
	type maps struct {
		SS map[string]string
		IL map[int32]leaf
		BB map[bool][]byte
		UC map[uint64]string
		SD map[int]float64
		SL map[myText]*leaf
		ST map[string]time.Time
	}
	at := time.Unix(5, 0).UTC()
	rule[maps]{
		"all", "p3.Maps", `ss:{key:"a" value:"b"} ss:{key:"" value:""} il:{key:-1 value:{n:1}} bb:{key:true value:"x"} uc:{key:1 value:COLOR_RED} sd:{key:-5 value:0.5} sl:{key:"k" value:{}} st:{key:"t" value:{seconds:5}}`,
		maps{
			map[string]string{"a": "b", "": ""},
			map[int32]leaf{-1: {N: 1}},
			map[bool][]byte{true: []byte("x")},
			map[uint64]string{1: "COLOR_RED"},
			map[int]float64{-5: 0.5},
			map[myText]*leaf{"k": {}},
			map[string]time.Time{"t": at},
		},
		"",
	}.run(t)
}

func TestGroups(t *testing.T) {
	type two struct{ S *string }
	type one struct {
		N   *int32
		Two two
	}
	type many struct{ N int32 }
	type groups struct {
		One  *one
		Many []many
	}
	rule[groups]{
		"proto2", "p2.Groups", `One:{n:1 Two:{s:"x"}} Many:{n:1} Many:{}`,
		groups{&one{ptr(int32(1)), two{ptr("x")}}, []many{{1}, {}}},
		"",
	}.run(t)
	type child struct {
		N     int32
		Child *child
	}
	type mixed struct {
		Explicit           *int32
		Implicit, Required int32
		Child              child
		Expanded           []int32
		Loose, Strict      string
	}
	rule[mixed]{
		"editions", "ed.Mixed", `explicit:0 required:0 child:{n:1 child:{}} expanded:[1,2] loose:"a" strict:"b"`,
		mixed{ptr(int32(0)), 0, 0, child{1, &child{}}, []int32{1, 2}, "a", "b"},
		"",
	}.run(t)
}

func TestOneof(t *testing.T) {
	type oneOf struct {
		Name   *string
		Number *int32
		Leaf   *leaf
		Raw    []byte
		At     *time.Time
		Value  *any
	}
	at := time.Unix(0, 0).UTC()
	for _, r := range []rule[oneOf]{
		{"none", "p3.OneOf", "", oneOf{}, ""},
		{"name", "p3.OneOf", `name:""`, oneOf{Name: ptr("")}, ""},
		{"number", "p3.OneOf", `number:0`, oneOf{Number: ptr(int32(0))}, ""},
		{"message", "p3.OneOf", `leaf:{}`, oneOf{Leaf: &leaf{}}, ""},
		{"bytes", "p3.OneOf", `raw:""`, oneOf{Raw: []byte{}}, ""},
		{"time", "p3.OneOf", `at:{}`, oneOf{At: &at}, ""},
		{"null", "p3.OneOf", `value:{null_value:NULL_VALUE}`, oneOf{Value: ptr[any](nil)}, ""},
	} {
		r.run(t)
	}
	plan := must(codec.Bind[oneOf](message(t, "p3.OneOf"), codec.Options{}))
	var v oneOf
	wire := append(append(wireOf(t, plan.Descriptor(), `leaf:{n:1}`), wireOf(t, plan.Descriptor(), `raw:"r"`)...), wireOf(t, plan.Descriptor(), `leaf:{name:"x"}`)...)
	must(0, plan.Unmarshal(wire, &v))
	if want := (oneOf{Leaf: &leaf{Name: "x"}}); !reflect.DeepEqual(v, want) {
		t.Errorf("the last member should win: got %+v", v)
	}
}
