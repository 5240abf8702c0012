// Package webfront speaks Connect, gRPC-Web and gRPC on net/http, by
// connectrpc.com/connect. The codecs it gives to connect carry wire bytes, so three
// handlers serve all methods of all generations.
package webfront

import (
	"math"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// Options are the limits of calls.
type Options struct {
	// MaxRecvBytes limits each request message, also after decompression. Default 4
	// MiB; negative for none.
	MaxRecvBytes int

	// MaxSendBytes limits each response message as it is sent. Default: none.
	MaxSendBytes int

	// CompressMinBytes is the size from which responses are compressed, if the caller
	// accepts that. Default 1 KiB; negative for all.
	CompressMinBytes int
}

// Front serves the calls of generations. It is an http.Handler.
type Front struct {
	current *dispatch.Current
	maxRecv int

	unary  *connect.Handler // Connect's unary calls
	get    *connect.Handler // the same, for methods that may be called by GET
	stream *connect.Handler // all others
	errors *connect.ErrorWriter
}

// New returns a front for the generation that is current when a call begins.
func New(current *dispatch.Current, opts Options) *Front {
	f := &Front{current: current, maxRecv: opts.maxRecv()}
	options := connect.WithHandlerOptions(append(compressions(f.maxRecv),
		connect.WithCodec(codec{name: "proto"}),
		connect.WithCodec(codec{name: "json", json: true}),
		connect.WithCodec(codec{name: "json; charset=utf-8", json: true}),
		connect.WithReadMaxBytes(f.maxRecv),
		connect.WithSendMaxBytes(max(0, opts.MaxSendBytes)),
		connect.WithCompressMinBytes(opts.compressMin()),
		connect.WithRequestGate(gate))...)
	f.unary = connect.NewUnaryHandler("", serveUnary, options)
	f.get = connect.NewUnaryHandler("", serveUnary, options, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	// The handler's own type of stream matters only in that connect refuses a
	// bidirectional one over HTTP/1.1.
	f.stream = connect.NewClientStreamHandler[frame, frame]("", nil, options, connect.WithInterceptors(streams{}))
	f.errors = connect.NewErrorWriter(options)
	return f
}

func (o Options) maxRecv() int {
	switch {
	case o.MaxRecvBytes < 0:
		return math.MaxInt32
	case o.MaxRecvBytes == 0:
		return 4 << 20
	}
	return o.MaxRecvBytes
}

func (o Options) compressMin() int {
	if o.CompressMinBytes == 0 {
		return 1 << 10
	}
	return max(0, o.CompressMinBytes)
}

// Speaks reports whether a request is in one of the front's protocols. Plain JSON
// without the header of Connect is not.
func Speaks(r *http.Request) bool {
	if r.Method == http.MethodGet && isConnectGet(r.URL.RawQuery) {
		return true
	}
	if _, ok := r.Header["Connect-Protocol-Version"]; ok {
		return true
	}
	content := mediaType(r)
	return content == "application/proto" || strings.HasPrefix(content, connectStream) || isGRPC(content)
}

const (
	grpcType      = "application/grpc" // also the prefix of gRPC-Web's
	connectStream = "application/connect+"
)

func isGRPC(content string) bool { return strings.HasPrefix(content, grpcType) }

// mediaType returns the content type of a request, without parameters.
func mediaType(r *http.Request) string {
	types := r.Header["Content-Type"]
	if len(types) == 0 {
		return ""
	}
	base, _, _ := strings.Cut(types[0], ";")
	return strings.ToLower(strings.TrimSpace(base))
}

func isConnectGet(query string) bool {
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter == "connect=v1" {
			return true
		}
	}
	return false
}

// ServeHTTP serves a request for which Speaks is true.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text := newTextWriter(w, r); text != nil {
		defer text.end()
		w, r = text, text.binary(r)
	}
	content := mediaType(r)
	e := &exchange{Context: r.Context(), w: w, json: isJSON(r, content)}
	e.r = r.WithContext(e)
	defer e.end()
	route, generation, err := f.current.Begin(r.URL.Path)
	if err != nil {
		e.takeBody(f.maxRecv)
		f.refuse(writer{e}, e.r, err)
		return
	}
	defer generation.Unpin()
	e.route = route
	f.handler(e, content).ServeHTTP(writer{e}, e.r)
}

// handler returns connect's handler for a request.
func (f *Front) handler(e *exchange, content string) *connect.Handler {
	m := e.route.Method
	if isGRPC(content) || m.IsStreamingClient() || m.IsStreamingServer() {
		e.takeBody(math.MaxInt)
		return f.stream
	}
	e.takeBody(f.maxRecv)
	if readOnly(m) {
		return f.get
	}
	return f.unary
}
