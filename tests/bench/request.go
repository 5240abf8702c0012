package main

// request is the frames' payloads of a call, made beforehand.
type request struct {
	headers block
	data    []byte
}

func newRequest(addr, method string, message []byte) request {
	headers := newBlocks([][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":path", method},
		{":authority", addr},
		{"content-type", "application/grpc"},
		{"user-agent", "dyngate-bench"},
		{"te", "trailers"},
	})[0]
	return request{headers: headers, data: envelope(message)}
}
