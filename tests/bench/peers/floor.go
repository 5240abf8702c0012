package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// floorHandler is what a programmer would write by hand: net/http's own routing and
// encoding/json, with a struct for each message.
func floorHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/greetings/{name}", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		times, err := strconv.Atoi(query.Get("times"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		greet(w, greetRequest{Name: r.PathValue("name"), Language: query.Get("language"), Times: int32(times)})
	})
	mux.HandleFunc("POST /v1/greetings", func(w http.ResponseWriter, r *http.Request) {
		var in greetRequest
		if read(w, r, &in) {
			greet(w, in)
		}
	})
	mux.HandleFunc("POST /v1/orders:price", func(w http.ResponseWriter, r *http.Request) {
		var in order
		if read(w, r, &in) {
			in.price()
			write(w, &in)
		}
	})
	stored := newOrder()
	mux.HandleFunc("GET /v1/customers/{customer}/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		customer, err := strconv.ParseInt(r.PathValue("customer"), 10, 64)
		if err != nil || customer != stored.CustomerID || r.PathValue("id") != stored.ID || query.Get("currency") != "EUR" ||
			query.Get("status") != stored.Status || query.Get("includeItems") != "true" {
			http.Error(w, "no such order", http.StatusNotFound)
			return
		}
		write(w, stored)
	})
	return mux
}

func greet(w http.ResponseWriter, in greetRequest) {
	if in.Language != "en" || in.Times != 1 {
		http.Error(w, "no such greeting", http.StatusBadRequest)
		return
	}
	write(w, greeting{Message: "Hello, " + in.Name + "!"})
}

func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// newOrder returns the order that the other servers answer with.
func newOrder() *order {
	o := shop.NewOrder(22)
	out := &order{
		ID: o.GetId(), CustomerID: o.GetCustomerId(), CustomerName: o.GetCustomerName(), Email: o.GetEmail(), Status: o.GetStatus().String(),
		Shipping: addressOf(o.GetShipping()), Billing: addressOf(o.GetBilling()), Total: moneyOf(o.GetTotal()), Tax: moneyOf(o.GetTax()),
		CreatedAt: o.GetCreatedAt().AsTime(), UpdatedAt: o.GetUpdatedAt().AsTime(),
		DeliveryTime: strconv.FormatFloat(o.GetDeliveryTime().AsDuration().Seconds(), 'f', -1, 64) + "s",
		Labels:       o.GetLabels(), Counters: make(map[string]string), Notes: o.GetNotes(), Scores: o.GetScores(), Coupon: o.Coupon, Priority: o.Priority,
		Signature: o.GetSignature(), BalanceDelta: o.GetBalanceDelta(), Checksum: o.GetChecksum(), Rating: o.GetRating(),
		Card: &card{o.GetCard().GetHolder(), o.GetCard().GetLastFour(), o.GetCard().GetExpiresYear(), o.GetCard().GetExpiresMonth()},
	}
	for key, n := range o.GetCounters() {
		out.Counters[key] = strconv.FormatInt(n, 10)
	}
	for _, n := range o.GetRelatedOrders() {
		out.RelatedOrders = append(out.RelatedOrders, strconv.FormatInt(n, 10))
	}
	for _, i := range o.GetItems() {
		out.Items = append(out.Items, &item{
			SKU: i.GetSku(), Title: i.GetTitle(), Quantity: i.GetQuantity(), Price: moneyOf(i.GetPrice()), Discount: moneyOf(i.GetDiscount()),
			Tags: i.GetTags(), Attributes: i.GetAttributes(), Status: i.GetStatus().String(), Gift: i.GetGift(), WeightKg: i.GetWeightKg(),
			ReadyAt: i.GetReadyAt().AsTime(),
		})
	}
	return out
}

type greetRequest struct {
	Name     string `json:"name,omitempty"`
	Language string `json:"language,omitempty"`
	Times    int32  `json:"times,omitempty"`
}

type greeting struct {
	Message string `json:"message,omitempty"`
}

type order struct {
	ID            string            `json:"id,omitempty"`
	CustomerID    int64             `json:"customerId,omitempty,string"`
	CustomerName  string            `json:"customerName,omitempty"`
	Email         string            `json:"email,omitempty"`
	Status        string            `json:"status,omitempty"`
	Shipping      *address          `json:"shipping,omitempty"`
	Billing       *address          `json:"billing,omitempty"`
	Items         []*item           `json:"items,omitempty"`
	Total         *money            `json:"total,omitempty"`
	Tax           *money            `json:"tax,omitempty"`
	CreatedAt     time.Time         `json:"createdAt,omitzero"`
	UpdatedAt     time.Time         `json:"updatedAt,omitzero"`
	DeliveryTime  string            `json:"deliveryTime,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Counters      map[string]string `json:"counters,omitempty"`
	Notes         []string          `json:"notes,omitempty"`
	RelatedOrders []string          `json:"relatedOrders,omitempty"`
	Scores        []float64         `json:"scores,omitempty"`
	Coupon        *string           `json:"coupon,omitempty"`
	Priority      *int32            `json:"priority,omitempty"`
	Signature     []byte            `json:"signature,omitempty"`
	Card          *card             `json:"card,omitempty"`
	Test          bool              `json:"test,omitempty"`
	BalanceDelta  int32             `json:"balanceDelta,omitempty"`
	Checksum      uint64            `json:"checksum,omitempty,string"`
	Rating        float32           `json:"rating,omitempty"`
}

// price computes the total of the items.
func (o *order) price() {
	var units, nanos int64
	for _, i := range o.Items {
		units += int64(i.Quantity) * (i.Price.Units - i.Discount.Units)
		nanos += int64(i.Quantity) * int64(i.Price.Nanos-i.Discount.Nanos)
	}
	const billion = 1_000_000_000
	o.Total.Units, o.Total.Nanos = units+nanos/billion, int32(nanos%billion)
}

type item struct {
	SKU        string            `json:"sku,omitempty"`
	Title      string            `json:"title,omitempty"`
	Quantity   int32             `json:"quantity,omitempty"`
	Price      *money            `json:"price,omitempty"`
	Discount   *money            `json:"discount,omitempty"`
	Tags       []string          `json:"tags,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Status     string            `json:"status,omitempty"`
	Gift       bool              `json:"gift,omitempty"`
	WeightKg   float64           `json:"weightKg,omitempty"`
	ReadyAt    time.Time         `json:"readyAt,omitzero"`
}

type money struct {
	Currency string `json:"currency,omitempty"`
	Units    int64  `json:"units,omitempty,string"`
	Nanos    int32  `json:"nanos,omitempty"`
}

func moneyOf(m *benchpb.Money) *money {
	return &money{m.GetCurrency(), m.GetUnits(), m.GetNanos()}
}

type address struct {
	Name       string  `json:"name,omitempty"`
	Street     string  `json:"street,omitempty"`
	City       string  `json:"city,omitempty"`
	Region     string  `json:"region,omitempty"`
	PostalCode string  `json:"postalCode,omitempty"`
	Country    string  `json:"country,omitempty"`
	Latitude   float64 `json:"latitude,omitempty"`
	Longitude  float64 `json:"longitude,omitempty"`
}

func addressOf(a *benchpb.Address) *address {
	return &address{a.GetName(), a.GetStreet(), a.GetCity(), a.GetRegion(), a.GetPostalCode(), a.GetCountry(), a.GetLatitude(), a.GetLongitude()}
}

type card struct {
	Holder       string `json:"holder,omitempty"`
	LastFour     string `json:"lastFour,omitempty"`
	ExpiresYear  uint32 `json:"expiresYear,omitempty"`
	ExpiresMonth uint32 `json:"expiresMonth,omitempty"`
}
