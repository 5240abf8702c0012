package structs_test

import (
	"fmt"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/dyngate/dyngate/internal/codec/structs"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

func ExampleBind() {
	type Item struct {
		SKU      string
		Quantity int
		Status   string // an enum, by name
		ReadyAt  time.Time
	}
	type Order struct {
		ID     string
		Items  []Item
		Coupon *string // optional: nil when it is not set
	}
	md := (&benchpb.Order{}).ProtoReflect().Descriptor() // from wherever schemas come
	plan, err := structs.Bind[Order](md, structs.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	order := Order{ID: "o-1", Items: []Item{{SKU: "brass", Quantity: 2, Status: "STATUS_PAID", ReadyAt: time.Unix(0, 0)}}}
	buf, err := plan.Marshal(&order, mem.DefaultBufferPool())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer buf.Free()

	var back Order
	err = plan.Unmarshal(buf.ReadOnlyData(), &back)
	fmt.Println(back.ID, back.Items, back.Coupon == nil, err)
	// Output: o-1 [{brass 2 STATUS_PAID 1970-01-01 00:00:00 +0000 UTC}] true <nil>
}

func ExampleBind_errors() {
	type Hello struct {
		Name int32
		Mane string
	}
	_, err := structs.Bind[Hello]((&benchpb.Hello{}).ProtoReflect().Descriptor(), structs.Options{})
	fmt.Println(err)
	// Output:
	// Hello.Name (int32) cannot hold dyngate.bench.Hello.name (string): make it string, *string or []byte
	// Hello.Mane matches no field of dyngate.bench.Hello (did you mean "name"?): rename it, or tag it `proto:"-"`
}
