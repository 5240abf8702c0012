package structs_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

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
	plan := must(structs.Bind[oneOf](message(t, "p3.OneOf"), structs.Options{}))
	var v oneOf
	wire := append(append(wireOf(t, plan.Descriptor(), `leaf:{n:1}`), wireOf(t, plan.Descriptor(), `raw:"r"`)...), wireOf(t, plan.Descriptor(), `leaf:{name:"x"}`)...)
	must(0, plan.Unmarshal(wire, &v))
	if want := (oneOf{Leaf: &leaf{Name: "x"}}); !reflect.DeepEqual(v, want) {
		t.Errorf("the last member should win: got %+v", v)
	}
}
