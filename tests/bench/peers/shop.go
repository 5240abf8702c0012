package main

import (
	"context"

	"connectrpc.com/connect"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
	"github.com/dyngate/dyngate/tests/bench/webpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// generatedShop answers with messages of generated types.
type generatedShop struct {
	webpb.UnimplementedShopServer
	order *benchpb.Order
}

func newShop() generatedShop { return generatedShop{order: shop.NewOrder(22)} }

func (generatedShop) Greet(_ context.Context, in *webpb.GreetRequest) (*benchpb.Greeting, error) {
	if in.GetLanguage() != "en" || in.GetTimes() != 1 {
		return nil, status.Error(codes.InvalidArgument, "no such greeting")
	}
	return &benchpb.Greeting{Message: "Hello, " + in.GetName() + "!"}, nil
}

func (generatedShop) Price(_ context.Context, in *benchpb.Order) (*benchpb.Order, error) {
	var units, nanos int64
	for _, i := range in.GetItems() {
		quantity := int64(i.GetQuantity())
		units += quantity * (i.GetPrice().GetUnits() - i.GetDiscount().GetUnits())
		nanos += quantity * int64(i.GetPrice().GetNanos()-i.GetDiscount().GetNanos())
	}
	const billion = 1_000_000_000
	in.Total = &benchpb.Money{Currency: in.GetTotal().GetCurrency(), Units: units + nanos/billion, Nanos: int32(nanos % billion)}
	return in, nil
}

func (s generatedShop) GetOrder(_ context.Context, in *webpb.GetOrderRequest) (*benchpb.Order, error) {
	if in.GetCustomerId() != s.order.GetCustomerId() || in.GetId() != s.order.GetId() || in.GetCurrency() != "EUR" ||
		in.GetStatus() != s.order.GetStatus() || !in.GetIncludeItems() {
		return nil, status.Error(codes.NotFound, "no such order")
	}
	return s.order, nil
}

// connectShop is generatedShop for connect-go.
type connectShop struct{ generatedShop }

func (s connectShop) Greet(ctx context.Context, in *connect.Request[webpb.GreetRequest]) (*connect.Response[benchpb.Greeting], error) {
	return response(s.generatedShop.Greet(ctx, in.Msg))
}

func (s connectShop) Price(ctx context.Context, in *connect.Request[benchpb.Order]) (*connect.Response[benchpb.Order], error) {
	return response(s.generatedShop.Price(ctx, in.Msg))
}

func (s connectShop) GetOrder(ctx context.Context, in *connect.Request[webpb.GetOrderRequest]) (*connect.Response[benchpb.Order], error) {
	return response(s.generatedShop.GetOrder(ctx, in.Msg))
}

func response[T any](out *T, err error) (*connect.Response[T], error) {
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}
