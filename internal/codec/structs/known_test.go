package structs_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

type known struct {
	At     time.Time
	Took   time.Duration
	Fields map[string]any
	Value  any
	List   []any
	Mask   []string
	Empty  *struct{}
	Any    *struct {
		TypeURL string
		Value   []byte
	}
	Text   *string
	Big    *int64
	Flag   *bool
	Raw    *[]byte
	Times  []time.Time
	Values []any
	Ratio  float64
}

func TestKnownTypes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	all := known{
		At: at, Took: -1500 * time.Millisecond,
		Fields: map[string]any{"a": nil, "b": 1.5, "c": "s", "d": true, "e": map[string]any{"f": []any{}}},
		Value:  []any{"x", nil, map[string]any{}}, List: []any{1.0, nil}, Mask: []string{"a.b", "c"}, Empty: &struct{}{},
		Text: ptr(""), Big: ptr(int64(-1)), Flag: ptr(false), Raw: ptr([]byte{}), Times: []time.Time{at, time.Unix(0, 0).UTC(), {}},
		Values: []any{nil, "x"}, Ratio: 0.5,
	}
	all.Any = &struct {
		TypeURL string
		Value   []byte
	}{"u", []byte("v")}
	rule[known]{
		"all", "p3.Known", `at:{seconds:1767323045 nanos:6} took:{seconds:-1 nanos:-500000000}
		fields:{fields:{key:"a" value:{null_value:NULL_VALUE}} fields:{key:"b" value:{number_value:1.5}} fields:{key:"c" value:{string_value:"s"}}
			fields:{key:"d" value:{bool_value:true}} fields:{key:"e" value:{struct_value:{fields:{key:"f" value:{list_value:{}}}}}}}
		value:{list_value:{values:{string_value:"x"} values:{null_value:NULL_VALUE} values:{struct_value:{}}}}
		list:{values:{number_value:1} values:{null_value:NULL_VALUE}} mask:{paths:"a.b" paths:"c"} empty:{} any:{type_url:"u" value:"v"}
		text:{} big:{value:-1} flag:{} raw:{} times:{seconds:1767323045 nanos:6} times:{} times:{seconds:-62135596800}
		values:{null_value:NULL_VALUE} values:{string_value:"x"} ratio:{value:0.5}`, all, "",
	}.run(t)
	rule[known]{"none", "p3.Known", "", known{}, ""}.run(t)
	rule[known]{"empty", "p3.Known", `fields:{} list:{} mask:{} at:{}`, known{
		Fields: map[string]any{}, List: []any{}, Mask: []string{}, At: time.Unix(0, 0).UTC(),
	}, ""}.run(t)
	rule[known]{"merged", "p3.Known", `at:{seconds:5} value:{struct_value:{fields:{key:"a"}}}`, known{
		At: time.Unix(5, 0).UTC(), Value: map[string]any{"a": nil},
	}, `at:{seconds:5} value:{struct_value:{fields:{key:"a" value:{null_value:NULL_VALUE}}}}`}.run(t)
	type pointers struct {
		At    *time.Time
		Took  *time.Duration
		Value *any
		Mask  *[]string
	}
	rule[pointers]{"pointers", "p3.Known", `at:{} took:{} value:{null_value:NULL_VALUE} mask:{}`, pointers{
		ptr(time.Unix(0, 0).UTC()), ptr(time.Duration(0)), ptr[any](nil), ptr([]string{}),
	}, ""}.run(t)
	type fields struct {
		At struct{ Seconds, Nanos int64 }
	}
	rule[fields]{"by field", "p3.Known", `at:{seconds:1 nanos:2}`, fields{struct{ Seconds, Nanos int64 }{1, 2}}, ""}.run(t)
}

func TestRootKnownTypes(t *testing.T) {
	plan := must(structs.Bind[time.Time]((&timestamppb.Timestamp{}).ProtoReflect().Descriptor(), structs.Options{}))
	var at time.Time
	must(0, plan.Unmarshal([]byte{8, 5}, &at))
	if at.Unix() != 5 {
		t.Errorf("got %v", at)
	}
}

func TestMergedKnownTypes(t *testing.T) {
	md := message(t, "p3.Known")
	plan := must(structs.Bind[known](md, structs.Options{}))
	wire := append(wireOf(t, md, `at:{seconds:5} value:{struct_value:{fields:{key:"a" value:{bool_value:true}}}} took:{seconds:1}`),
		wireOf(t, md, `at:{nanos:6} value:{struct_value:{fields:{key:"b" value:{bool_value:true}}}} took:{nanos:1}`)...)
	var v known
	must(0, plan.Unmarshal(wire, &v))
	if !v.At.Equal(time.Unix(5, 6)) || len(v.Value.(map[string]any)) != 2 || v.Took != time.Second+1 {
		t.Errorf("got %+v", v)
	}
}

func TestGeneratedMessages(t *testing.T) {
	type generated struct {
		At    *timestamppb.Timestamp
		Any   *anypb.Any
		Times []*timestamppb.Timestamp
	}
	md := message(t, "p3.Known")
	plan := must(structs.Bind[generated](md, structs.Options{}))
	wire := wireOf(t, md, `at:{seconds:1} any:{type_url:"u"} times:{} times:{nanos:2}`)
	var v generated
	must(0, plan.Unmarshal(wire, &v))
	if !proto.Equal(v.At, &timestamppb.Timestamp{Seconds: 1}) || v.Any.TypeUrl != "u" || len(v.Times) != 2 || v.Times[1].Nanos != 2 {
		t.Errorf("got %+v", v)
	}
	checkSame(t, md, must(plan.Append(nil, &v)), wire)
	if err := plan.Unmarshal([]byte{10, 2, 8}, &v); !errors.Is(err, structs.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func TestKnownTypeRanges(t *testing.T) {
	md := message(t, "p3.Known")
	plan := must(structs.Bind[known](md, structs.Options{}))
	for _, text := range []string{
		`at:{seconds:253402300800}`, `at:{seconds:-62135596801}`, `at:{nanos:-1}`, `at:{nanos:1000000000}`,
		`took:{seconds:9223372037}`, `took:{seconds:-9223372037}`, `took:{seconds:9223372036 nanos:854775808}`,
		`took:{seconds:1 nanos:-1}`, `took:{nanos:1000000000}`,
	} {
		var v known
		if err := plan.Unmarshal(wireOf(t, md, text), &v); !errors.Is(err, structs.ErrRange) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	loop := map[string]any{}
	loop["loop"] = loop
	for name, v := range map[string]known{
		"year 10000":  {At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"year 0":      {At: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
		"channel":     {Value: make(chan int)},
		"nested":      {Fields: map[string]any{"a": []any{struct{}{}}}},
		"cycle":       {Fields: loop},
		"not UTF-8":   {Value: "\xff"},
		"not UTF-8 k": {Fields: map[string]any{"\xff": 1}},
	} {
		if _, err := plan.Append(nil, &v); !errors.Is(err, structs.ErrUnencodable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, took := range []time.Duration{math.MaxInt64, math.MinInt64, 1, -1} {
		out := must(plan.Append(nil, &known{Took: took}))
		var back known
		if err := plan.Unmarshal(out, &back); err != nil || back.Took != took {
			t.Errorf("%v: got %v, %v", took, back.Took, err)
		}
	}
	numbers := known{List: []any{1, int8(2), uint64(3), float32(4), json.Number("5"), []byte("6")}}
	checkSame(t, md, must(plan.Append(nil, &numbers)), wireOf(t, md,
		`list:{values:{number_value:1} values:{number_value:2} values:{number_value:3} values:{number_value:4} values:{number_value:5} values:{string_value:"Ng=="}}`))
}
