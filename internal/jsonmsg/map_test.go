package jsonmsg_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/jsonmsg"
)

func TestMap(t *testing.T) {
	m, types := empty(t, "shop.Order")
	err := jsonmsg.FromMap(map[string]any{
		"items": []map[string]any{{"name": "a", "qty": int64(2), "tags": []string{"x"}}},
		"by_name": map[string]any{"k": struct {
			Name string `json:"name"`
		}{"b"}},
		"colors":  map[int]string{7: "RED"},
		"cash":    int64(math.MaxInt64),
		"known":   map[string]any{"at": time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC), "fields": map[string]any{"a": []any{1, nil}}},
		"scalars": map[string]any{"by": []byte{0, 1}, "db": 1.5, "bo": true, "u64": uint64(math.MaxUint64)},
	}, m, types)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonmsg.ToMap(m, types, jsonmsg.EncodeOptions{Indent: true})
	want := map[string]any{
		"items":   []any{map[string]any{"name": "a", "qty": 2.0, "tags": []any{"x"}}},
		"byName":  map[string]any{"k": map[string]any{"name": "b"}},
		"colors":  map[string]any{"7": "RED"},
		"cash":    "9223372036854775807",
		"known":   map[string]any{"at": "2006-01-02T15:04:05Z", "fields": map[string]any{"a": []any{1.0, nil}}},
		"scalars": map[string]any{"by": "AAE=", "db": 1.5, "bo": true, "u64": "18446744073709551615"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestMapEdges(t *testing.T) {
	m, types := decode(t, "shop.Item", `{"name":"x"}`)
	if err := jsonmsg.FromMap(nil, m, types); err != nil {
		t.Error(err)
	}
	if got, err := jsonmsg.ToMap(m, types, jsonmsg.EncodeOptions{}); err != nil || got == nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := jsonmsg.ToMap(m, types, jsonmsg.EncodeOptions{EmitDefaults: true}); err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
	cycle := map[string]any{}
	cycle["parent"] = cycle
	for want, values := range map[string]map[string]any{
		`qty: expected int32, got the string "x"`:                                  {"qty": "x"},
		`json: unsupported value: NaN`:                                             {"qty": math.NaN()},
		`json: unsupported type: chan int`:                                         {"qty": make(chan int)},
		`json: unsupported value: encountered a cycle via map[string]interface {}`: cycle,
	} {
		if err := jsonmsg.FromMap(values, m, types); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := jsonmsg.ToMap(wrapperspb.String("x"), nil, jsonmsg.EncodeOptions{})
	if err == nil || err.Error() != "google.protobuf.StringValue is not an object in JSON" {
		t.Errorf("got %v", err)
	}
}
