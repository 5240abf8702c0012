package main

import (
	"context"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// structHandlers answer with plain Go structs: what most users write.
func structHandlers(opts ...handlers.Option) *handlers.Registry {
	reg := handlers.NewRegistry()
	reg.Handle("dyngate.bench.Shop/Greet", handlers.Unary(structGreet, opts...))
	reg.Handle("dyngate.bench.Shop/Price", handlers.Unary(structPrice, opts...))
	return reg
}

func structGreet(_ context.Context, in *shop.Hello) (*shop.Greeting, error) {
	return &shop.Greeting{Message: "Hello, " + in.Name + "!"}, nil
}

func structPrice(_ context.Context, in *shop.Order) (*shop.Order, error) {
	var total price
	for _, i := range in.Items {
		total.add(int64(i.Quantity), i.Price.Units, int64(i.Price.Nanos))
		total.add(-int64(i.Quantity), i.Discount.Units, int64(i.Discount.Nanos))
	}
	units, nanos := total.sum()
	in.Total = &shop.Money{Currency: in.Total.Currency, Units: units, Nanos: nanos}
	return in, nil
}
