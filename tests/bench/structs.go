package main

import (
	"context"
	"time"

	"github.com/dyngate/dyngate/handlers"
)

// structHandlers answer with plain Go structs: what most users write.
func structHandlers(opts ...handlers.Option) *handlers.Registry {
	reg := handlers.NewRegistry()
	reg.Handle("dyngate.bench.Shop/Greet", handlers.Unary(structGreet, opts...))
	reg.Handle("dyngate.bench.Shop/Price", handlers.Unary(structPrice, opts...))
	return reg
}

func structGreet(_ context.Context, in *hello) (*greeting, error) {
	return &greeting{Message: "Hello, " + in.Name + "!"}, nil
}

func structPrice(_ context.Context, in *order) (*order, error) {
	var total price
	for _, i := range in.Items {
		total.add(int64(i.Quantity), i.Price.Units, int64(i.Price.Nanos))
		total.add(-int64(i.Quantity), i.Discount.Units, int64(i.Discount.Nanos))
	}
	units, nanos := total.sum()
	in.Total = &money{Currency: in.Total.Currency, Units: units, Nanos: nanos}
	return in, nil
}

type hello struct{ Name string }

type greeting struct{ Message string }

// order has pointers where generated code has them.
type order struct {
	ID                   string
	CustomerID           int64
	CustomerName, Email  string
	Status               int32
	Shipping, Billing    *address
	Items                []*item
	Total, Tax           *money
	CreatedAt, UpdatedAt time.Time
	DeliveryTime         time.Duration
	Labels               map[string]string
	Counters             map[string]int64
	Notes                []string
	RelatedOrders        []int64
	Scores               []float64
	Coupon               *string
	Priority             *int32
	Signature            []byte
	Card                 *card
	Transfer             *transfer
	Voucher              *string
	Test                 bool
	BalanceDelta         int32
	Checksum             uint64
	Rating               float32
}

type item struct {
	SKU, Title string
	Quantity   int32
	Price      *money
	Discount   *money
	Tags       []string
	Attributes map[string]string
	Status     int32
	Gift       bool
	WeightKg   float64
	ReadyAt    time.Time
}

type money struct {
	Currency string
	Units    int64
	Nanos    int32
}

type address struct {
	Name, Street, City, Region, PostalCode, Country string
	Latitude, Longitude                             float64
}

type card struct {
	Holder, LastFour          string
	ExpiresYear, ExpiresMonth uint32
}

type transfer struct{ IBAN, BIC string }
