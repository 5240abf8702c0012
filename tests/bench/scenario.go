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
	web    *webRequest // how to call it over HTTP; nil for gRPC
}

func scenarios() []scenario {
	return append([]scenario{
		{
			name: "hello", method: benchpb.Shop_Greet_FullMethodName,
			in: &benchpb.Hello{Name: "Ada Lovelace"}, out: &benchpb.Greeting{Message: "Hello, Ada Lovelace!"},
		},
		newOrder("small order", 16, 629, 750000000), // 3.5 KB
		newOrder("order", 52, 4277, 850000000),      // 10 KB
	}, webScenarios()...)
}

func newOrder(name string, items int, units int64, nanos int32) scenario {
	priced := shop.NewOrder(items)
	priced.Total = &benchpb.Money{Currency: "EUR", Units: units, Nanos: nanos}
	return scenario{name: name, method: benchpb.Shop_Price_FullMethodName, in: shop.NewOrder(items), out: priced}
}

// scenarioNamed returns a scenario by its name; the empty one if there is none.
func scenarioNamed(name string) (none scenario) {
	for _, s := range scenarios() {
		if s.name == name {
			return s
		}
	}
	return none
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
	return differ(want, got)
}

// differ returns an error if two messages differ.
func differ(want, got proto.Message) error {
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		return fmt.Errorf("the message is wrong (-want +got):\n%s", diff)
	}
	return nil
}
