package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
	"github.com/dyngate/dyngate/tests/bench/webpb"
)

// webRequest is the HTTP request of a scenario. Its body is the scenario's message in the format of
// the content type, or nothing.
type webRequest struct {
	verb, path  string
	contentType string
	connect     bool
}

// webOrder has so many items that its JSON takes 9.4 KB.
const webOrder = 22

// webScenarios are the calls over HTTP: with parameters in the path and the query, with a document
// in the body, and with the Connect protocol.
func webScenarios() (all []scenario) {
	const service = "/dyngate.bench.web.Shop/"
	greet := &webpb.GreetRequest{Name: "Ada Lovelace", Language: "en", Times: 1}
	greeting := &benchpb.Greeting{Message: "Hello, Ada Lovelace!"}
	order := shop.NewOrder(webOrder)
	priced := proto.CloneOf(order)
	priced.Total.Units, priced.Total.Nanos = total(order)
	add := func(name string, in, out proto.Message, r webRequest) {
		all = append(all, scenario{name: name, in: in, out: out, web: &r})
	}
	add("GET hello", nil, greeting, webRequest{verb: "GET", path: "/v1/greetings/Ada%20Lovelace?language=en&times=1"})
	add("POST hello", greet, greeting, webRequest{verb: "POST", path: "/v1/greetings", contentType: "application/json"})
	add("GET order", nil, order, webRequest{
		verb: "GET", path: "/v1/customers/918273645/orders/ord_01HZX5T8W3?currency=EUR&status=STATUS_PAID&includeItems=true",
	})
	add("POST order", order, priced, webRequest{verb: "POST", path: "/v1/orders:price", contentType: "application/json"})
	for _, format := range []string{"json", "proto"} {
		r := webRequest{verb: "POST", contentType: "application/" + format, connect: true}
		r.path = service + "Greet"
		add("Connect "+format+" hello", greet, greeting, r)
		r.path = service + "Price"
		add("Connect "+format+" order", order, priced, r)
	}
	return all
}

func total(o *benchpb.Order) (units int64, nanos int32) {
	var p price
	for _, i := range o.GetItems() {
		p.add(int64(i.GetQuantity()), i.GetPrice().GetUnits(), int64(i.GetPrice().GetNanos()))
		p.add(-int64(i.GetQuantity()), i.GetDiscount().GetUnits(), int64(i.GetDiscount().GetNanos()))
	}
	return p.sum()
}

// webHello and webOrders are the names of the scenarios with small and with large messages.
var (
	webHello     = []string{"GET hello", "POST hello"}
	webOrders    = []string{"GET order", "POST order"}
	connectCalls = []string{"Connect json hello", "Connect proto hello", "Connect json order", "Connect proto order"}
)

// dyngateWeb is dyngate on its HTTP port.
const dyngateWeb = "http"

// peerKinds are the servers of the module in the folder peers.
var peerKinds = []string{"floor", "gateway", "vanguard", "connect"}

func webContests() []contest {
	rest := contest{name: "http", scenarios: append(append([]string(nil), webHello...), webOrders...), rivals: []string{"floor", dyngateWeb, "gateway", "vanguard"}}
	for _, s := range webHello {
		rest.targets = append(rest.targets,
			target{rival: dyngateWeb, scenario: s, figure: rate, unit: "calls/s", atLeast: 0.85},
			target{rival: dyngateWeb, base: "gateway", scenario: s, figure: rate, unit: "calls/s", atLeast: 1.8},
			target{rival: dyngateWeb, base: "vanguard", scenario: s, figure: rate, unit: "calls/s", atLeast: 2.2})
	}
	for _, s := range webOrders {
		rest.targets = append(rest.targets,
			target{rival: dyngateWeb, base: "gateway", scenario: s, figure: rate, unit: "calls/s", atLeast: 3},
			target{rival: dyngateWeb, base: "vanguard", scenario: s, figure: rate, unit: "calls/s", atLeast: 3})
	}
	for _, s := range rest.scenarios {
		for _, base := range []string{"gateway", "vanguard"} {
			rest.targets = append(rest.targets, target{rival: dyngateWeb, base: base, scenario: s, figure: allocs, unit: "allocs", atMost: 1. / 3})
		}
	}
	connect := contest{name: "connect", scenarios: connectCalls, rivals: []string{"connect", dyngateWeb}}
	for _, s := range connectCalls {
		connect.targets = append(connect.targets, target{rival: dyngateWeb, scenario: s, figure: rate, unit: "calls/s", atLeast: 1})
	}
	return []contest{rest, connect}
}

// body returns the body of a request.
func (s scenario) body() ([]byte, error) {
	switch {
	case s.in == nil:
		return nil, nil
	case s.web.contentType == "application/proto":
		return proto.Marshal(s.in)
	}
	return protojson.Marshal(s.in)
}

// check compares the body of a reply with what it has to be.
func (s scenario) check(body []byte) error {
	got := s.out.ProtoReflect().New().Interface()
	unmarshal := protojson.Unmarshal
	if s.web.contentType == "application/proto" {
		unmarshal = proto.Unmarshal
	}
	if err := unmarshal(body, got); err != nil {
		return fmt.Errorf("%w: %.200s", err, body)
	}
	return differ(s.out, got)
}

// head returns the head of a request with a body of a size.
func (r webRequest) head(addr string, size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: dyngate-bench\r\nAccept: */*\r\n", r.verb, r.path, addr)
	if r.contentType != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", r.contentType, size)
	}
	if r.connect {
		b.WriteString("Connect-Protocol-Version: 1\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// buildPeers builds the program of the module in the folder peers, once.
func buildPeers(ctx context.Context) (string, error) {
	peers.Lock()
	defer peers.Unlock()
	if peers.program != "" {
		return peers.program, nil
	}
	folder, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "github.com/dyngate/dyngate/tests/bench").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the folder of the benchmark: %w", err)
	}
	out, err := os.MkdirTemp("", "dyngate-bench")
	if err != nil {
		return "", err
	}
	program := filepath.Join(out, "peers")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = filepath.Join(strings.TrimSpace(string(folder)), "peers")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the other servers: %w: %s", cmp.Or(os.RemoveAll(out), err), text)
	}
	peers.program = program
	return program, nil
}

var peers struct {
	sync.Mutex
	program string
}

// removePeers removes what buildPeers built.
func removePeers() error {
	peers.Lock()
	defer peers.Unlock()
	if peers.program == "" {
		return nil
	}
	defer func() { peers.program = "" }()
	return os.RemoveAll(filepath.Dir(peers.program))
}
