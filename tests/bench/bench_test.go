package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

// TestMain lets the test binary be the other processes too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == "call") {
		main()
		return
	}
	code := m.Run()
	if err := removePeers(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// TestEveryServer runs the whole benchmark for a moment: every server and client
// has to get every scenario right. What it measures then means nothing.
func TestEveryServer(t *testing.T) {
	p, err := parsePlan([]string{"--rounds=1", "--duration=5ms", "--warmup=0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.contests {
		if slices.ContainsFunc(c.rivals, func(r string) bool { return slices.Contains(peerKinds, r) }) {
			requirePeers(t)
		}
		groups, err := p.measure(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		printTable(&out, c, groups)
		t.Log(out.String())
		lines := strings.Count(out.String(), "us") / 4 // four durations each
		if want := len(c.rivals) * len(groups); lines < want {
			t.Errorf("%d lines, want %d", lines, want)
		}
		if strings.Contains(out.String(), "NaN") {
			t.Error("a figure is missing")
		}
	}
}

// requirePeers skips the test where the other servers cannot be built: they are a module with
// requirements of its own, which may not be at hand.
func requirePeers(t *testing.T) {
	t.Helper()
	if _, err := buildPeers(t.Context()); err != nil && os.Getenv("DYNGATE_REQUIRE_CLIENTS") == "" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
}

func TestCustomContests(t *testing.T) {
	for flag, rivals := range map[string]string{
		"--servers": "raw --workers=0,raw --workers=16 --window=65536",
		"--clients": "struct,struct",
	} {
		p, err := parsePlan([]string{flag, rivals, "--only=hello", "--rounds=2"})
		if err != nil {
			t.Fatal(err)
		}
		p.duration, p.warmup, p.concurrency = time.Millisecond, 0, []int{3}
		groups, err := p.measure(t.Context(), p.contests[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(groups) != 1 || len(groups[0].samples) != 2 || len(groups[0].samples[1]) != 2 {
			t.Errorf("%s: not one group of two rivals with two rounds: %v", flag, groups)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{{"--rounds=0"}, {"--duration=0"}, {"order"}} {
		if _, err := parsePlan(args); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	for _, flag := range []string{"--servers=steam", "--clients=steam"} {
		p, err := parsePlan([]string{flag})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.measure(t.Context(), p.contests[0]); err == nil {
			t.Errorf("%s: an unknown kind is accepted", flag)
		}
	}
}

func TestWrongReply(t *testing.T) {
	for _, s := range scenarios() {
		for _, reply := range []string{"", "\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x01\xff"} {
			if equal(s.out, []byte(reply)) == nil {
				t.Errorf("%s: the reply %q is accepted", s.name, reply)
			}
		}
	}
}

// TestWrongWebReply serves replies that are not the scenario's.
func TestWrongWebReply(t *testing.T) {
	s := scenarioNamed("POST hello")
	for name, tt := range map[string]struct {
		reply    string
		accepted bool
	}{
		"right":   {"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{\"message\":\"Hello, Ada Lovelace!\"}", true},
		"chunked": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"message\":\"Hello\r\n11\r\n, Ada Lovelace!\"}\r\n0\r\n\r\n", true},
		"text":    {"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{\"message\":\"Hello, Ada Lovelock!\"}", false},
		"status":  {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", false},
		"end":     {"HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{}", false},
	} {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- replyOnce(lis, tt.reply) }() // ends after one request
		l, err := newWebLoad(t.Context(), lis.Addr().String(), s)
		if (err == nil) != tt.accepted {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			err = l.close()
		}
		if errors := []error{<-served, lis.Close()}; tt.accepted && (err != nil || errors[0] != nil || errors[1] != nil) {
			t.Errorf("%s: %v, %v", name, err, errors)
		}
	}
}

// replyOnce answers one request, whatever it is, and closes the connection.
func replyOnce(lis net.Listener, reply string) error {
	conn, err := lis.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	_, err = io.WriteString(conn, reply)
	return err
}

func TestWrongRequest(t *testing.T) {
	right := scenarioNamed("hello")
	r, err := newReplier(right)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}()
	for name, tt := range map[string]struct {
		method, text string
		accepted     bool
	}{
		"right":  {right.method, "Ada Lovelace", true},
		"method": {"/dyngate.bench.Shop/Price", "Ada Lovelace", false},
		"size":   {right.method, "Ada King", false},
		"text":   {right.method, "Ada Lovelock", false},
	} {
		l, err := dial(t.Context(), r.addr(), tt.method, scenario{in: &benchpb.Hello{Name: tt.text}, out: right.out})
		if (err == nil) != tt.accepted {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if calls, err := l.run(3, time.Millisecond); err != nil || len(calls.Latencies) < 3 {
			t.Errorf("%s: %d calls, %v", name, len(calls.Latencies), err)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, tt := range []struct {
		values []int
		p      float64
		want   int
	}{
		{nil, 50, 0},
		{[]int{7}, 50, 7},
		{[]int{7}, 99, 7},
		{[]int{1, 2}, 50, 1},
		{[]int{1, 2, 3}, 50, 2},
		{hundred, 0, 1},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
	} {
		if got := percentile(tt.values, tt.p); got != tt.want {
			t.Errorf("p%v of %d values is %d, want %d", tt.p, len(tt.values), got, tt.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.values, got, tt.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
}

// TestRatio shows what ratios within a round are for: the second round was
// twice as slow for everybody, the third for one of the two.
func TestRatio(t *testing.T) {
	base := []sample{{cpu: 10}, {cpu: 20}, {cpu: 10}}
	other := []sample{{cpu: 8}, {cpu: 16}, {cpu: 16}}
	if got := ratio(other, base, cpu); got != 0.8 {
		t.Errorf("ratio is %v, want 0.8", got)
	}
}

func TestVerdict(t *testing.T) {
	c := contest{rivals: []string{"generated", "struct"}}
	g := group{scenario: scenarios()[0], concurrency: 64, samples: [][]sample{{{cpu: 10, rate: 100}}, {{cpu: 9, rate: 110}}}}
	for _, tt := range []struct {
		target target
		want   string
	}{
		{target{rival: "struct", figure: cpu, atMost: 0.95}, "target met"},
		{target{rival: "struct", figure: cpu, atMost: 0.8}, "target MISSED"},
		{target{rival: "struct", figure: rate, atLeast: 1}, "target met"},
		{target{rival: "struct", figure: rate, atLeast: 1.25}, "target MISSED"},
	} {
		if got := tt.target.verdict(c, g); !strings.HasPrefix(got, tt.want+":") {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
