package main

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// scenario is a method to call, with its request and the reply that is right.
type scenario struct {
	name   string
	method string
	in     proto.Message
	out    proto.Message
}

// orderItems make an order of about 10 KB.
const orderItems = 52

func scenarios() []scenario {
	priced := shop.NewOrder(orderItems)
	priced.Total = &benchpb.Money{Currency: "EUR", Units: 4277, Nanos: 850000000}
	return []scenario{
		{
			"hello", benchpb.Shop_Greet_FullMethodName,
			&benchpb.Hello{Name: "Ada Lovelace"}, &benchpb.Greeting{Message: "Hello, Ada Lovelace!"},
		},
		{"order", benchpb.Shop_Price_FullMethodName, shop.NewOrder(orderItems), priced},
	}
}

// check compares a reply, with its gRPC prefix, with what it has to be.
func (s scenario) check(reply []byte) error {
	const prefix = 5
	got := s.out.ProtoReflect().New().Interface()
	if len(reply) < prefix {
		return fmt.Errorf("%s: the reply has no message", s.name)
	}
	if err := proto.Unmarshal(reply[prefix:], got); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if diff := cmp.Diff(s.out, got, protocmp.Transform()); diff != "" {
		return fmt.Errorf("%s: the reply is wrong (-want +got):\n%s", s.name, diff)
	}
	return nil
}
