package main

import (
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// request is connectrpc.conformance.v1.ServerCompatRequest: the server that the suite
// wants.
type request struct {
	tls          bool
	clientCert   []byte // PEM; clients must have it
	receiveLimit int
	cert, key    []byte // PEM
}

// readRequest reads a request with its length in front.
func readRequest(r io.Reader) (*request, error) {
	var size uint32
	if err := binary.Read(r, binary.BigEndian, &size); err != nil {
		return nil, fmt.Errorf("reading the request of the suite: %w", err)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("reading the request of the suite: %w", err)
	}
	out := new(request)
	err := eachField(data, func(number protowire.Number, varint uint64, content []byte) error {
		switch number {
		case 4:
			out.tls = varint != 0
		case 5:
			out.clientCert = content
		case 6:
			out.receiveLimit = int(varint)
		case 7:
			return eachField(content, func(number protowire.Number, _ uint64, content []byte) error {
				switch number {
				case 1:
					out.cert = content
				case 2:
					out.key = content
				}
				return nil
			})
		}
		return nil
	})
	return out, err
}

// eachField calls visit for each varint and each field with a length.
func eachField(b []byte, visit func(number protowire.Number, varint uint64, content []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var varint uint64
		var content []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			content, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := visit(number, varint, content); err != nil {
			return err
		}
	}
	return nil
}

// writeResponse writes a connectrpc.conformance.v1.ServerCompatResponse: where the
// server is.
func writeResponse(w io.Writer, port int, req *request) error {
	var b []byte
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, "127.0.0.1")
	b = protowire.AppendTag(b, 2, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(port))
	if req.tls {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendBytes(b, req.cert)
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}
