// Package shop is the messages that benchmarks exchange, as plain structs, and
// an order to fill them with.
package shop

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

// Hello is the message of that name.
type Hello struct{ Name string }

// Greeting is the message of that name.
type Greeting struct{ Message string }

// Order has pointers where generated code has them.
type Order struct {
	ID                   string
	CustomerID           int64
	CustomerName, Email  string
	Status               int32
	Shipping, Billing    *Address
	Items                []*Item
	Total, Tax           *Money
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
	Card                 *Card
	Transfer             *Transfer
	Voucher              *string
	Test                 bool
	BalanceDelta         int32
	Checksum             uint64
	Rating               float32
}

// Item is the message of that name.
type Item struct {
	SKU, Title string
	Quantity   int32
	Price      *Money
	Discount   *Money
	Tags       []string
	Attributes map[string]string
	Status     int32
	Gift       bool
	WeightKg   float64
	ReadyAt    time.Time
}

// Money is the message of that name.
type Money struct {
	Currency string
	Units    int64
	Nanos    int32
}

// Address is the message of that name.
type Address struct {
	Name, Street, City, Region, PostalCode, Country string
	Latitude, Longitude                             float64
}

// Card is the message of that name.
type Card struct {
	Holder, LastFour          string
	ExpiresYear, ExpiresMonth uint32
}

// Transfer is the message of that name.
type Transfer struct{ IBAN, BIC string }

// NewOrder returns an order of so many items, 240 bytes each, that uses every kind of field.
func NewOrder(items int) *benchpb.Order {
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
