package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
)

// load is a client that calls one unary method with one request, on one
// connection: whenever a call ends the next begins. It speaks just enough
// HTTP/2 for that, from one goroutine: what a real client takes of the CPU is
// taken from the server beside it, and hides what is measured.
type load struct {
	wire
	request  request
	deadline time.Time // when calls that end are no longer followed by another

	headers *hpack.Decoder
	status  string // grpc-status and grpc-message of the call in hand
	message string

	calls   []call // by number of the call: stream 2n+1
	ended   int    // calls that have
	waiting int    // calls to begin when there is window for their DATA
	first   int    // the call that the current run began with
	size    int    // of every reply, once it is known
	reply   []byte // the reply of the call of once
	keep    bool
}

type call struct {
	began time.Time
	size  int // of the reply so far
	took  time.Duration
}

// result is what calls of one run took.
type result struct {
	Latencies []time.Duration
	Took      time.Duration
}

// dial connects a load with a server, and looks at the reply to its first call.
func dial(ctx context.Context, addr, method string, s scenario) (*load, error) {
	message, err := proto.Marshal(s.in)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &load{request: newRequest(addr, method, message), size: -1}
	l.wire = newWire(conn, l.handle)
	l.headers = hpack.NewDecoder(4096, l.takeField)
	l.out = append(l.out, http2.ClientPreface...)
	l.greet()
	reply, err := l.once()
	if err == nil {
		err = equal(s.out, reply)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), l.close())
	}
	return l, nil
}

func (l *load) close() error { return l.conn.Close() }

// once makes one call and returns its reply.
func (l *load) once() ([]byte, error) {
	l.keep, l.reply = true, nil
	_, err := l.run(1, 0)
	l.keep = false
	return l.reply, err
}

// run implements caller.
func (l *load) run(concurrency int, d time.Duration) (result, error) {
	start := time.Now()
	l.deadline = start.Add(d)
	if err := l.conn.SetDeadline(l.deadline.Add(30 * time.Second)); err != nil {
		return result{}, err
	}
	l.first, l.waiting = len(l.calls), concurrency
	for l.ended < len(l.calls) || l.waiting > 0 {
		l.begin()
		if err := l.flush(); err != nil {
			return result{}, err
		}
		if err := l.readAll(); err != nil {
			return result{}, err
		}
	}
	r := result{Took: time.Since(start)}
	for _, c := range l.calls[l.first:] {
		r.Latencies = append(r.Latencies, c.took)
	}
	return r, l.flush()
}

// begin begins the calls that are waiting, as far as the window goes. A call's
// own window is always large enough: 65535 at least.
func (l *load) begin() {
	for l.waiting > 0 && l.window >= int64(len(l.request.data)) {
		stream := uint32(2*len(l.calls) + 1)
		l.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, stream, l.request.headers.of(len(l.calls)))
		l.frame(http2.FrameData, http2.FlagDataEndStream, stream, l.request.data)
		l.window -= int64(len(l.request.data))
		l.waiting--
		l.calls = append(l.calls, call{began: time.Now()})
	}
}

// handle implements what wire asks for.
func (l *load) handle(h http2.FrameHeader, payload []byte) error {
	switch h.Type { //nolint:exhaustive // what a client may ignore is ignored
	case http2.FrameData:
		l.takeData(h, payload)
	case http2.FrameHeaders:
		return l.takeHeaders(h, payload)
	case http2.FrameRSTStream, http2.FrameGoAway, http2.FramePushPromise, http2.FrameContinuation:
		return fmt.Errorf("the server sent %v: %q", h, payload)
	}
	return nil
}

func (l *load) takeData(h http2.FrameHeader, payload []byte) {
	l.calls[h.StreamID/2].size += len(payload)
	if l.keep {
		l.reply = append(l.reply, payload...)
	}
}

// takeHeaders takes the headers or the trailers of a reply.
func (l *load) takeHeaders(h http2.FrameHeader, block []byte) error {
	l.status, l.message = "", ""
	if _, err := l.headers.Write(block); err != nil {
		return err
	}
	if h.Flags&http2.FlagHeadersEndStream == 0 {
		return nil
	}
	if l.status != "0" {
		return fmt.Errorf("a call ended with status %q: %s", l.status, l.message)
	}
	return l.end(&l.calls[h.StreamID/2])
}

func (l *load) takeField(f hpack.HeaderField) {
	switch f.Name {
	case "grpc-status":
		l.status = f.Value
	case "grpc-message":
		l.message = f.Value
	}
}

func (l *load) end(c *call) error {
	now := time.Now()
	c.took = now.Sub(c.began)
	l.ended++
	if now.Before(l.deadline) {
		l.waiting++
	}
	if l.size < 0 {
		l.size = c.size
	}
	if c.size != l.size {
		return fmt.Errorf("a reply of %d bytes, the first had %d", c.size, l.size)
	}
	return nil
}
