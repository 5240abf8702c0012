package main

import (
	"context"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

// generatedServer is the rival: generated code on plain grpc-go.
func generatedServer(opts []grpc.ServerOption) *grpc.Server {
	s := grpc.NewServer(opts...)
	benchpb.RegisterShopServer(s, generatedShop{})
	return s
}

type generatedShop struct {
	benchpb.UnimplementedShopServer
}

func (generatedShop) Greet(_ context.Context, in *benchpb.Hello) (*benchpb.Greeting, error) {
	return &benchpb.Greeting{Message: "Hello, " + in.GetName() + "!"}, nil
}

func (generatedShop) Price(_ context.Context, in *benchpb.Order) (*benchpb.Order, error) {
	var total price
	for _, i := range in.GetItems() {
		total.add(int64(i.GetQuantity()), i.GetPrice().GetUnits(), int64(i.GetPrice().GetNanos()))
		total.add(-int64(i.GetQuantity()), i.GetDiscount().GetUnits(), int64(i.GetDiscount().GetNanos()))
	}
	units, nanos := total.sum()
	in.Total = &benchpb.Money{Currency: in.GetTotal().GetCurrency(), Units: units, Nanos: nanos}
	return in, nil
}
