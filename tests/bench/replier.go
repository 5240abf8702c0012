package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
)

// replier is the server that clients are measured with, as load is the client
// for servers: it writes a reply made beforehand and never decodes a message,
// other than the first of a connection. Later ones have to be as long.
type replier struct {
	scenario scenario
	size     int // of a request
	reply    []byte

	lis    net.Listener
	served sync.WaitGroup
}

func newReplier(s scenario) (*replier, error) {
	reply, err := proto.Marshal(s.out)
	if err != nil {
		return nil, err
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &replier{scenario: s, size: len(envelope(nil)) + proto.Size(s.in), reply: envelope(reply), lis: lis}
	r.served.Go(r.accept)
	return r, nil
}

func (r *replier) addr() string { return r.lis.Addr().String() }

// close waits until the clients have hung up.
func (r *replier) close() error {
	err := r.lis.Close()
	r.served.Wait()
	return err
}

func (r *replier) accept() {
	for {
		conn, err := r.lis.Accept()
		if err != nil {
			return // closed
		}
		r.served.Go(func() {
			if err := r.serve(conn); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
				fmt.Fprintln(os.Stderr, "bench: the server of a client:", err)
			}
			_ = conn.Close()
		})
	}
}

// serve serves one connection.
func (r *replier) serve(conn net.Conn) error {
	c := &replies{replier: r, sizes: make(map[uint32]int)}
	c.wire = newWire(conn, c.handle)
	blocks := newBlocks(
		[][2]string{{":status", "200"}, {"content-type", "application/grpc"}},
		[][2]string{{"grpc-status", "0"}})
	c.headers, c.trailers = blocks[0], blocks[1]
	if _, err := io.ReadFull(c.in, make([]byte, len(http2.ClientPreface))); err != nil {
		return err
	}
	c.greet()
	for {
		c.answer()
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.readAll(); err != nil {
			return err
		}
	}
}

// replies is one connection of a replier.
type replies struct {
	wire
	*replier
	headers, trailers block

	path    string
	first   []byte         // the first request, as far as it has come
	sizes   map[uint32]int // of the requests that have come in part, by stream
	asked   []uint32       // streams to be answered when there is window for their DATA
	replied int
}

// handle implements what wire asks for.
func (c *replies) handle(h http2.FrameHeader, payload []byte) error {
	const first = 1
	switch h.Type { //nolint:exhaustive // what a server may ignore is ignored
	case http2.FrameHeaders:
		if h.StreamID == first {
			_, err := hpack.NewDecoder(4096, c.takeField).Write(payload)
			return err
		}
	case http2.FrameData:
		if h.StreamID == first {
			c.first = append(c.first, payload...)
		}
		return c.takeData(h, len(payload))
	case http2.FrameRSTStream, http2.FrameContinuation:
		return fmt.Errorf("the client sent %v: %q", h, payload)
	}
	return nil
}

func (c *replies) takeField(f hpack.HeaderField) {
	if f.Name == ":path" {
		c.path = f.Value
	}
}

func (c *replies) takeData(h http2.FrameHeader, size int) error {
	size += c.sizes[h.StreamID]
	if h.Flags&http2.FlagDataEndStream == 0 {
		c.sizes[h.StreamID] = size
		return nil
	}
	delete(c.sizes, h.StreamID)
	if size != c.size {
		return fmt.Errorf("a request of %d bytes, not %d", size, c.size)
	}
	c.asked = append(c.asked, h.StreamID)
	if h.StreamID != 1 {
		return nil
	}
	if c.path != c.scenario.method {
		return errors.New("a call of " + c.path)
	}
	return equal(c.scenario.in, c.first)
}

// answer answers the calls that are waiting, as far as the window goes. A call's
// own window is always large enough: 65535 at least.
func (c *replies) answer() {
	n := 0
	for ; n < len(c.asked) && c.window >= int64(len(c.reply)); n++ {
		stream := c.asked[n]
		c.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, stream, c.headers.of(c.replied))
		c.frame(http2.FrameData, 0, stream, c.reply)
		c.frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, stream, c.trailers.of(c.replied))
		c.window -= int64(len(c.reply))
		c.replied++
	}
	c.asked = append(c.asked[:0], c.asked[n:]...)
}
