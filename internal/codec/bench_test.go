package codec_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/internal/benchpb"
)

type hello struct{ Name string }

type money struct {
	Currency string
	Units    int64
	Nanos    int32
}

type address struct {
	Name, Street, City, Region, PostalCode, Country string
	Latitude, Longitude                             float64
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

type card struct {
	Holder, LastFour          string
	ExpiresYear, ExpiresMonth uint32
}

type transfer struct{ IBAN, BIC string }

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

func newAddress(n int) *benchpb.Address {
	return &benchpb.Address{
		Name: fmt.Sprintf("Ada Lovelace %d", n), Street: fmt.Sprintf("%d St. James's Square", n), City: "London",
		Region: "Greater London", PostalCode: "SW1Y 4JH", Country: "GB", Latitude: 51.507, Longitude: -0.135,
	}
}

// newOrder makes an order of n items: 16 make 3.5 KB, 52 make 10 KB.
func newOrder(n int) *benchpb.Order {
	o := &benchpb.Order{
		Id: "ord_01HZX5T8W3", CustomerId: 918273645, CustomerName: "Ada Lovelace", Email: "ada@example.com",
		Status: benchpb.Status_STATUS_PAID, Shipping: newAddress(12), Billing: newAddress(7),
		Total: &benchpb.Money{Currency: "EUR", Units: 1299, Nanos: 990000000}, Tax: &benchpb.Money{Currency: "EUR", Units: 207, Nanos: 560000000},
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
	for i := range n {
		o.Items = append(o.Items, &benchpb.Item{
			Sku: fmt.Sprintf("SKU-%05d-EU", i), Title: fmt.Sprintf("Difference engine, part %d of many", i), Quantity: int32(1 + i%3),
			Price: &benchpb.Money{Currency: "EUR", Units: int64(20 + i), Nanos: 950000000}, Discount: &benchpb.Money{Currency: "EUR", Units: 5},
			Tags:       []string{"brass", "analytical", "spare-part"},
			Attributes: map[string]string{"colour": "brass", "size": "XL", "origin": "Marylebone"},
			Status:     benchpb.Status_STATUS_NEW, Gift: i%4 == 0, WeightKg: 1.5 + float64(i),
			ReadyAt: timestamppb.New(time.Unix(1767312000+int64(i), 0)),
		})
	}
	return o
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// subject is a message that is measured, with what stands for it in each engine.
type subject[T any] struct {
	name string
	m    proto.Message
}

func (s subject[T]) decode(b *testing.B) {
	wire := must(proto.Marshal(s.m))
	md := s.m.ProtoReflect().Descriptor()
	run := func(engine string, f func() error) {
		b.Run(s.name+"/"+engine, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("generated", func() error { return proto.Unmarshal(wire, s.m.ProtoReflect().New().Interface()) })
	plan := must(codec.Bind[T](md, codec.Options{}))
	run("struct", func() error { return plan.Unmarshal(wire, new(T)) })
	alias := must(codec.Bind[T](md, codec.Options{Alias: true}))
	run("struct-alias", func() error { return alias.Unmarshal(wire, new(T)) })
	run("dynamicpb", func() error { return proto.Unmarshal(wire, dynamicpb.NewMessage(md)) })
	if hyper := hyperDecoder(md); hyper != nil {
		run("hyperpb", func() error { _, err := hyper(wire); return err })
	}
}

func (s subject[T]) encode(b *testing.B) {
	wire := must(proto.Marshal(s.m))
	md := s.m.ProtoReflect().Descriptor()
	run := func(engine string, f func() (mem.Buffer, error)) {
		b.Run(s.name+"/"+engine, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				buf, err := f()
				if err != nil {
					b.Fatal(err)
				}
				buf.Free()
			}
		})
	}
	pool := mem.DefaultBufferPool()
	marshal := func(m proto.Message) func() (mem.Buffer, error) {
		return func() (mem.Buffer, error) { // as grpc's own codec does
			size := proto.Size(m)
			if mem.IsBelowBufferPoolingThreshold(size) {
				b, err := proto.Marshal(m)
				return mem.SliceBuffer(b), err
			}
			buf := pool.Get(size)
			_, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buf)[:0], m)
			return mem.NewBuffer(buf, pool), err
		}
	}
	run("generated", marshal(s.m))
	plan := must(codec.Bind[T](md, codec.Options{}))
	v := new(T)
	must(0, plan.Unmarshal(wire, v))
	run("struct", func() (mem.Buffer, error) { return plan.Marshal(v, pool) })
	dynamic := dynamicpb.NewMessage(md)
	must(0, proto.Unmarshal(wire, dynamic))
	run("dynamicpb", marshal(dynamic))
	if hyper := hyperDecoder(md); hyper != nil {
		run("hyperpb", marshal(must(hyper(wire))))
	}
}

var (
	helloSubject = subject[hello]{"hello", &benchpb.Hello{Name: "Ada Lovelace"}}
	orderSubject = subject[order]{"order3.5K", newOrder(16)}
	largeSubject = subject[order]{"order10K", newOrder(52)}
)

func BenchmarkDecode(b *testing.B) {
	helloSubject.decode(b)
	orderSubject.decode(b)
	largeSubject.decode(b)
}

func BenchmarkEncode(b *testing.B) {
	helloSubject.encode(b)
	orderSubject.encode(b)
	largeSubject.encode(b)
}

// TestOrder tells that what is measured is right.
func TestOrder(t *testing.T) {
	for _, n := range []int{0, 1, 16, 52} {
		want := newOrder(n)
		wire := must(proto.Marshal(want))
		t.Logf("%d items: %d bytes", n, len(wire))
		plan := must(codec.Bind[order](want.ProtoReflect().Descriptor(), codec.Options{}))
		var v order
		if err := plan.Unmarshal(wire, &v); err != nil {
			t.Fatal(err)
		}
		out := must(plan.Append(nil, &v))
		got := &benchpb.Order{}
		if err := proto.Unmarshal(out, got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	}
}
