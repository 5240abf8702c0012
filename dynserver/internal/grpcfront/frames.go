package grpcfront

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// frameHead is the head of an HTTP/2 frame.
type frameHead struct {
	typ    http2.FrameType
	flags  http2.Flags
	length int
	stream uint32
	code   http2.ErrCode // of RST_STREAM
}

// frames finds the heads of frames in one direction of a connection. It reads nothing
// else.
type frames struct {
	skip int // bytes until the next head
	have int // bytes of head that are known
	head [9 + 4]byte
}

const (
	headSize  = 9
	resetSize = 4 // the payload of RST_STREAM
)

// next returns the first head that ends in p and the rest of p. If ok is false, no
// head ends in p, and next has kept what it needs of p.
func (f *frames) next(p []byte) (h frameHead, rest []byte, ok bool) {
	if f.skip >= len(p) {
		f.skip -= len(p)
		return h, nil, false
	}
	p = p[f.skip:]
	f.skip = 0
	if f.have == 0 && len(p) >= headSize && p[3] != byte(http2.FrameRSTStream) { // nearly always
		h = parseHead(p)
		f.skip = h.length
		return h, p[headSize:], true
	}
	return f.collect(p)
}

// collect is next for a head that began in earlier bytes, and for RST_STREAM, whose
// payload is needed as well. p begins with the next byte of it.
func (f *frames) collect(p []byte) (h frameHead, rest []byte, ok bool) {
	want := headSize
	if f.have >= headSize {
		want += resetSize
	}
	for {
		n := copy(f.head[f.have:want], p)
		f.have, p = f.have+n, p[n:]
		if f.have < want {
			return h, nil, false
		}
		h = parseHead(f.head[:])
		if h.typ == http2.FrameRSTStream && h.length == resetSize && want == headSize {
			want += resetSize
			continue
		}
		break
	}
	if want > headSize {
		h.code = http2.ErrCode(binary.BigEndian.Uint32(f.head[headSize:]))
	} else {
		f.skip = h.length
	}
	f.have = 0
	return h, p, true
}

// between reports whether the next byte begins a frame.
func (f *frames) between() bool { return f.skip == 0 && f.have == 0 }

func parseHead(b []byte) frameHead {
	return frameHead{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		typ:    http2.FrameType(b[3]),
		flags:  http2.Flags(b[4]),
		stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1),
	}
}

// idle reports whether a frame does no work for a call, or undoes work. grpc counts
// pings.
func (h frameHead) idle() bool {
	switch h.typ {
	case http2.FrameRSTStream, http2.FramePriority:
		return true
	case http2.FrameSettings:
		return !h.flags.Has(http2.FlagSettingsAck)
	case http2.FrameData:
		return h.length == 0 && !h.flags.Has(http2.FlagDataEndStream)
	case http2.FrameContinuation:
		return h.length == 0
	default:
		return false
	}
}

// resetsClient reports whether a frame of the server resets a call because of a
// mistake of the client.
func (h frameHead) resetsClient() bool {
	if h.typ != http2.FrameRSTStream {
		return false
	}
	switch h.code {
	case http2.ErrCodeProtocol, http2.ErrCodeFlowControl, http2.ErrCodeStreamClosed, http2.ErrCodeFrameSize:
		return true
	default:
		return false
	}
}
