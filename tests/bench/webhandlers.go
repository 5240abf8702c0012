package main

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// webHandlers answer the calls over HTTP with plain Go structs.
func webHandlers() (*handlers.Registry, error) {
	const service = "dyngate.bench.web.Shop/"
	reg := handlers.NewRegistry()
	stored, err := decoded[shop.Order](shop.NewOrder(webOrder))
	if err != nil {
		return nil, err
	}
	reg.Handle(service+"Greet", handlers.Unary(webGreet))
	reg.Handle(service+"Price", handlers.Unary(structPrice))
	reg.Handle(service+"GetOrder", handlers.Unary(func(_ context.Context, in *getOrderRequest) (*shop.Order, error) {
		if in.CustomerID != stored.CustomerID || in.ID != stored.ID || in.Currency != "EUR" || in.Status != stored.Status || !in.IncludeItems {
			return nil, status.Error(codes.NotFound, "no such order")
		}
		return stored, nil
	}))
	return reg, nil
}

type greetRequest struct {
	Name, Language string
	Times          int32
}

type getOrderRequest struct {
	CustomerID   int64
	ID, Currency string
	Status       int32
	IncludeItems bool
}

func webGreet(_ context.Context, in *greetRequest) (*shop.Greeting, error) {
	if in.Language != "en" || in.Times != 1 {
		return nil, status.Error(codes.InvalidArgument, "no such greeting")
	}
	return &shop.Greeting{Message: "Hello, " + in.Name + "!"}, nil
}
