package main

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

// request is the frames' payloads of a call, made beforehand. Only the headers
// of a connection's first call name the fields; all others refer to its table,
// as a real client's do.
type request struct {
	firstHeaders, laterHeaders []byte
	data                       []byte
}

func newRequest(addr, method string, message []byte) request {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encode := func() []byte {
		block.Reset()
		for _, f := range [][2]string{
			{":method", "POST"},
			{":scheme", "http"},
			{":path", method},
			{":authority", addr},
			{"content-type", "application/grpc"},
			{"user-agent", "dyngate-bench"},
			{"te", "trailers"},
		} {
			_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // a bytes.Buffer never fails
		}
		return bytes.Clone(block.Bytes())
	}
	const uncompressed = 0
	data := binary.BigEndian.AppendUint32([]byte{uncompressed}, uint32(len(message)))
	return request{firstHeaders: encode(), laterHeaders: encode(), data: append(data, message...)}
}

func (r request) headers(call int) []byte {
	if call == 0 {
		return r.firstHeaders
	}
	return r.laterHeaders
}
