package main

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

// scenario is a method to call, with its request and the reply that is right.
type scenario struct {
	name   string
	method string
	in     proto.Message
	out    proto.Message
}

// orderItems make an order of about 10 KB.
const orderItems = 42

func scenarios() []scenario {
	priced := newOrder(orderItems)
	priced.Total = &benchpb.Money{Currency: "EUR", Units: 3089, Nanos: 800000000}
	return []scenario{
		{
			"hello", benchpb.Shop_Greet_FullMethodName,
			&benchpb.Hello{Name: "Ada Lovelace"}, &benchpb.Greeting{Message: "Hello, Ada Lovelace!"},
		},
		{"order", benchpb.Shop_Price_FullMethodName, newOrder(orderItems), priced},
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

func newOrder(items int) *benchpb.Order {
	o := &benchpb.Order{
		Id: "ord_01HZX5T8W3", CustomerId: 918273645, CustomerName: "Ada Lovelace", Email: "ada@example.com",
		Status: benchpb.Status_STATUS_PAID, Shipping: newAddress(12), Billing: newAddress(7),
		Total: &benchpb.Money{Currency: "EUR"}, Tax: &benchpb.Money{Currency: "EUR", Units: 207, Nanos: 560000000},
		CreatedAt: timestamppb.New(time.Unix(1767225600, 123456789)), UpdatedAt: timestamppb.New(time.Unix(1767229200, 0)),
		DeliveryTime: durationpb.New(49 * time.Hour),
		Labels:       map[string]string{"channel": "web", "campaign": "winter", "region": "eu-west", "tier": "gold"},
		Counters:     map[string]int64{"views": 12345, "edits": 3, "prints": 1},
		Notes:        []string{"Leave with the neighbour.", "Café: grüß Gott"},
		Scores:       []float64{0.25, 0.5, 0.75, 1},
		Coupon:       proto.String("WINTER26"), Priority: proto.Int32(2), Signature: []byte("0123456789abcdef0123456789abcdef"),
		Payment:      &benchpb.Order_Card{Card: &benchpb.Card{Holder: "A LOVELACE", LastFour: "4242", ExpiresYear: 2029, ExpiresMonth: 11}},
		BalanceDelta: -42, Checksum: 0xdeadbeefcafe, Rating: 4.5,
	}
	for i := range 20 {
		o.RelatedOrders = append(o.RelatedOrders, int64(1_000_000+i*7919))
	}
	for i := range items {
		o.Items = append(o.Items, newItem(i))
	}
	return o
}

func newItem(i int) *benchpb.Item {
	return &benchpb.Item{
		Sku: fmt.Sprintf("SKU-%05d-EU", i), Title: fmt.Sprintf("Difference engine, part %d of many", i), Quantity: int32(1 + i%3),
		Price: &benchpb.Money{Currency: "EUR", Units: int64(20 + i), Nanos: 950000000}, Discount: &benchpb.Money{Currency: "EUR", Units: 5},
		Tags:       []string{"brass", "analytical", "spare-part"},
		Attributes: map[string]string{"colour": "brass", "size": "XL", "origin": "Marylebone"},
		Status:     benchpb.Status_STATUS_NEW, Gift: i%4 == 0, WeightKg: 1.5 + float64(i),
		ReadyAt: timestamppb.New(time.Unix(1767312000+int64(i), 0)),
	}
}

func newAddress(n int) *benchpb.Address {
	return &benchpb.Address{
		Name: fmt.Sprintf("Ada Lovelace %d", n), Street: fmt.Sprintf("%d St. James's Square", n), City: "London",
		Region: "Greater London", PostalCode: "SW1Y 4JH", Country: "GB", Latitude: 51.507, Longitude: -0.135,
	}
}
