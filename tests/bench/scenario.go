package main

import (
	"errors"
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

// equal compares a message, with its gRPC prefix, with what it has to be.
func equal(want proto.Message, data []byte) error {
	prefix := len(envelope(nil))
	if len(data) < prefix {
		return errors.New("there is no message")
	}
	got := want.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(data[prefix:], got); err != nil {
		return err
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		return fmt.Errorf("the message is wrong (-want +got):\n%s", diff)
	}
	return nil
}
