package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// wire is one side of a connection: just enough HTTP/2 for unary calls, from one
// goroutine. What is written is collected until flush.
type wire struct {
	conn   net.Conn
	in     *bufio.Reader
	out    []byte // not yet written
	handle func(h http2.FrameHeader, payload []byte) error

	window   int64 // bytes of DATA that the peer would take now
	consumed int   // bytes of DATA that the peer was not yet given back
}

// dataWindow is more than what the messages of all calls in progress take.
const dataWindow = 1 << 24

// newWire returns a side that has handle look at all frames but those for the
// connection itself.
func newWire(conn net.Conn, handle func(http2.FrameHeader, []byte) error) wire {
	return wire{conn: conn, in: bufio.NewReaderSize(conn, 256<<10), handle: handle, window: 65535}
}

// greet writes what a connection begins with.
func (w *wire) greet() {
	w.frame(http2.FrameSettings, 0, 0, nil)
	w.give(dataWindow)
}

// readAll reads what has come, waiting for one frame at least.
func (w *wire) readAll() error {
	for {
		head, err := http2.ReadFrameHeader(w.in)
		if err != nil {
			return err
		}
		if int(head.Length) > w.in.Size() {
			return fmt.Errorf("a frame of %d bytes", head.Length)
		}
		payload, err := w.in.Peek(int(head.Length))
		if err != nil {
			return err
		}
		if err := w.take(head, payload); err != nil {
			return err
		}
		_, _ = w.in.Discard(len(payload))
		if w.in.Buffered() == 0 {
			return nil
		}
	}
}

func (w *wire) take(h http2.FrameHeader, payload []byte) error {
	switch h.Type { //nolint:exhaustive // the others are for handle
	case http2.FrameData:
		if h.Flags&http2.FlagDataPadded != 0 {
			return errors.New("the peer pads its frames")
		}
		if w.consumed += len(payload); w.consumed >= dataWindow/2 {
			w.give(w.consumed)
			w.consumed = 0
		}
	case http2.FrameHeaders:
		const whole = http2.FlagHeadersEndHeaders
		if h.Flags&(whole|http2.FlagHeadersPadded|http2.FlagHeadersPriority) != whole {
			return fmt.Errorf("headers of a kind that is not read here: %v", h)
		}
	case http2.FrameSettings, http2.FramePing:
		if h.Flags&1 == 0 { // FlagSettingsAck, FlagPingAck
			ack := payload
			if h.Type == http2.FrameSettings {
				ack = nil
			}
			w.frame(h.Type, 1, 0, ack)
		}
		return nil
	case http2.FrameWindowUpdate:
		if h.StreamID == 0 {
			w.window += int64(binary.BigEndian.Uint32(payload))
		}
		return nil
	}
	return w.handle(h, payload)
}

// give lets the peer send n more bytes of DATA.
func (w *wire) give(n int) {
	w.frame(http2.FrameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func (w *wire) frame(t http2.FrameType, flags http2.Flags, stream uint32, payload []byte) {
	n := len(payload)
	w.out = append(w.out, byte(n>>16), byte(n>>8), byte(n), byte(t), byte(flags))
	w.out = binary.BigEndian.AppendUint32(w.out, stream)
	w.out = append(w.out, payload...)
}

func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	return err
}

// envelope puts gRPC's prefix before a message.
func envelope(message []byte) []byte {
	const uncompressed = 0
	data := binary.BigEndian.AppendUint32([]byte{uncompressed}, uint32(len(message)))
	return append(data, message...)
}

// block is a block of headers, made beforehand. Only the first on a connection
// names the fields; all others refer to its table, as in real ones.
type block struct{ first, later []byte }

// newBlocks makes the blocks that one side of a connection sends.
func newBlocks(blocks ...[][2]string) []block {
	var text bytes.Buffer
	encoder := hpack.NewEncoder(&text)
	encode := func(fields [][2]string) []byte {
		text.Reset()
		for _, f := range fields {
			_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // a bytes.Buffer never fails
		}
		return bytes.Clone(text.Bytes())
	}
	made := make([]block, len(blocks))
	for i, fields := range blocks {
		made[i].first = encode(fields)
	}
	for i, fields := range blocks {
		made[i].later = encode(fields)
	}
	return made
}

func (b block) of(call int) []byte {
	if call == 0 {
		return b.first
	}
	return b.later
}
