package httpconn

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/stats"
)

// trace reports a call to the stats handler, and notes its connection.
type trace struct {
	handler   stats.Handler // may be nil
	wanted    bool          // the connection
	authority string
	started   time.Time
	tagged    context.Context
	remote    atomic.Pointer[net.Addr]
}

// begin returns the context of the call.
func (t *trace) begin(ctx context.Context, c *Conn, method string, o callOptions) context.Context {
	t.handler, t.authority, t.started = c.opts.Stats, c.opts.Authority, time.Now()
	t.wanted = t.handler != nil || len(o.results) > 0
	if o.authority != "" {
		t.authority = o.authority
	}
	if t.handler != nil {
		ctx = t.handler.TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: method, FailFast: true})
	}
	t.tagged = ctx
	t.report(&stats.Begin{Client: true, BeginTime: t.started, FailFast: true})
	return ctx
}

func (t *trace) report(s stats.RPCStats) {
	if t.handler != nil {
		t.handler.HandleRPC(t.tagged, s)
	}
}

// traced returns the request with a hook that notes its connection.
func (t *trace) traced(r *http.Request) *http.Request {
	if !t.wanted {
		return r
	}
	hook := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		remote := info.Conn.RemoteAddr()
		t.remote.Store(&remote)
		if t.handler != nil && !info.Reused {
			t.handler.TagConn(t.tagged, &stats.ConnTagInfo{RemoteAddr: remote, LocalAddr: info.Conn.LocalAddr()})
		}
	}}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), hook))
}

// peer returns the server's address, if there was a connection.
func (t *trace) peer() (p peer.Peer) {
	if remote := t.remote.Load(); remote != nil {
		p.Addr = *remote
	}
	return p
}

func (t *trace) sawHeader(h http.Header) {
	if t.handler != nil {
		t.report(&stats.InHeader{Client: true, Header: readMetadata(h)})
	}
}

func (t *trace) sawTrailer(md metadata.MD) { t.report(&stats.InTrailer{Client: true, Trailer: md}) }

// out reports a request. The length after compression is not known here.
func (t *trace) out(length int) {
	if t.handler != nil {
		t.report(&stats.OutPayload{Client: true, Length: length, CompressedLength: length, WireLength: length, SentTime: time.Now()})
	}
}

// in reports an answer.
func (t *trace) in(length int) {
	if t.handler != nil {
		t.report(&stats.InPayload{Client: true, Length: length, CompressedLength: length, WireLength: length, RecvTime: time.Now()})
	}
}

func (t *trace) end(err error) {
	if t.handler != nil {
		t.report(&stats.End{Client: true, BeginTime: t.started, EndTime: time.Now(), Error: err})
	}
}
