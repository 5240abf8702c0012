package httpconn

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// stream is one call of any shape.
type stream struct {
	conn   *Conn
	desc   *grpc.StreamDesc
	client *connect.Client[payload, payload]
	opts   callOptions
	trace  trace
	ctx    context.Context
	info   connect.CallInfo
	end    func() // releases ctx

	unwatch func() bool // stops waiting for the end of ctx

	sent    atomic.Bool   // the only request, or the end of requests
	opened  chan struct{} // closed when the fields below are set
	wire    connect.StreamingClientConn
	answer  *payload // instead of wire, if the call is unary
	failure error    // instead of both

	received bool // the only answer
	trailer  metadata.MD
	finished sync.Once
}

// open starts a call. One whose requests are streamed sends its header.
func (c *Conn) open(ctx context.Context, desc *grpc.StreamDesc, method string, o callOptions) (*stream, error) {
	s := &stream{conn: c, desc: desc, opts: o, opened: make(chan struct{})}
	ctx = s.trace.begin(ctx, c, method, o)
	ctx, cancel := context.WithCancel(ctx)
	closing := context.AfterFunc(c.ctx, cancel)
	ctx, s.info = connect.NewClientContext(context.WithValue(ctx, traceKey{}, &s.trace))
	s.ctx = ctx
	if err := s.writeHeader(method); err != nil {
		closing()
		cancel()
		s.trace.end(err)
		return nil, err
	}
	s.end = func() { closing(); cancel() }
	s.unwatch = context.AfterFunc(ctx, func() { s.finish(contextError(ctx)) })
	key := clientKey{method: method, gzip: o.gzip, maxRecv: max(1, o.maxRecv)}
	switch {
	case desc.ClientStreams && desc.ServerStreams:
		key.shape = connect.StreamTypeBidi
		s.client = c.client(key)
		bidi := s.client.CallBidiStream(ctx)
		s.start(bidi.Conn())
	case desc.ClientStreams:
		s.client = c.client(key)
		uploading := s.client.CallClientStream(ctx)
		s.start(uploading.Conn())
	default:
		s.client = c.client(key)
	}
	return s, nil
}

// writeHeader prepares the header of the request.
func (s *stream) writeHeader(method string) error {
	sent, _ := metadata.FromOutgoingContext(s.ctx)
	if err := writeMetadata(s.info.RequestHeader(), sent); err != nil {
		return err
	}
	for _, creds := range s.opts.credentials {
		md, err := s.conn.credentials(s.ctx, creds, method)
		if err != nil {
			return err
		}
		if err := writeMetadata(s.info.RequestHeader(), md); err != nil {
			return err
		}
	}
	return nil
}

// start sends the header of a call whose requests are streamed.
func (s *stream) start(wire connect.StreamingClientConn, err error) {
	if err == nil {
		err = wire.Send(nil)
	}
	s.wire = wire
	if err != nil && !errors.Is(err, io.EOF) {
		s.failure = err
	}
	close(s.opened)
}

// request makes a call with its only request, and waits for the header of the
// response.
func (s *stream) request(p *payload) {
	defer close(s.opened)
	if !s.desc.ServerStreams {
		res, err := s.client.CallUnary(s.ctx, connect.NewRequest(p))
		if err != nil {
			s.failure = err
			return
		}
		s.answer = res.Msg
		return
	}
	answers, err := s.client.CallServerStream(s.ctx, connect.NewRequest(p))
	if err == nil {
		s.wire, err = answers.Conn()
	}
	s.failure = err
}

// SendMsg implements [grpc.ClientStream]. Of a call with one request, it waits for
// the header of the response.
func (s *stream) SendMsg(m any) error {
	data, err := s.opts.codec.Marshal(m)
	if err != nil {
		return status.Errorf(codes.Internal, "cannot encode the request: %v", err)
	}
	defer data.Free()
	if data.Len() > s.opts.maxSend {
		return status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d vs. %d)", data.Len(), s.opts.maxSend)
	}
	p := &payload{data: data}
	if s.desc.ClientStreams {
		if s.failure != nil || s.wire.Send(p) != nil {
			return io.EOF
		}
		s.trace.out(data.Len())
		return nil
	}
	if !s.sent.CompareAndSwap(false, true) {
		return status.Error(codes.Internal, "the method takes one request")
	}
	s.trace.out(data.Len())
	s.request(p)
	return nil
}

// CloseSend implements [grpc.ClientStream].
func (s *stream) CloseSend() error {
	switch {
	case s.desc.ClientStreams && s.failure == nil:
		_ = s.wire.CloseRequest() // RecvMsg returns why
	case !s.desc.ClientStreams && s.sent.CompareAndSwap(false, true):
		s.failure = status.Error(codes.Internal, "the method takes one request, and none was sent")
		close(s.opened)
	}
	return nil
}

// wait waits until the call is opened, and returns why it failed.
func (s *stream) wait() error {
	select {
	case <-s.opened:
		return s.failure
	default:
	}
	select {
	case <-s.opened:
		return s.failure
	case <-s.ctx.Done():
		return contextError(s.ctx)
	}
}

// RecvMsg implements [grpc.ClientStream].
func (s *stream) RecvMsg(m any) error {
	if s.received {
		return io.EOF
	}
	p, err := s.receive()
	if err == nil {
		s.trace.in(p.data.Len())
		err = s.opts.codec.Unmarshal(p.data, m)
		p.data.Free()
		if err != nil {
			err = status.Errorf(codes.Internal, "cannot decode the response: %v", err)
		}
	}
	if err == nil && s.desc.ServerStreams {
		return nil
	}
	s.received = true
	err = statusError(err)
	s.conclude()
	s.finish(err)
	return err
}

// receive returns the next answer. Of a call that has only one, it waits for the end.
func (s *stream) receive() (*payload, error) {
	if err := s.wait(); err != nil {
		return nil, err
	}
	if s.answer != nil {
		return s.answer, nil
	}
	p := new(payload)
	err := s.wire.Receive(p)
	if s.desc.ServerStreams {
		return p, err
	}
	if errors.Is(err, io.EOF) {
		return nil, status.Error(codes.Unimplemented, "the method answers once, but the server sent no answer")
	}
	if err != nil {
		return nil, err
	}
	second := new(payload)
	if err := s.wire.Receive(second); errors.Is(err, io.EOF) {
		return p, nil
	} else if err != nil {
		p.data.Free()
		return nil, err
	}
	p.data.Free()
	second.data.Free()
	return nil, status.Error(codes.Unimplemented, "the method answers once, but the server sent several answers")
}

// conclude reads the trailer, and ends the request and the response. If the context
// ended first, SendMsg may still be opening the call: then there is nothing to read.
func (s *stream) conclude() {
	s.unwatch()
	select {
	case <-s.opened:
	default:
		return
	}
	s.trailer = readMetadata(s.info.ResponseTrailer())
	s.trace.sawTrailer(s.trailer)
	for _, opt := range s.opts.results {
		switch opt := opt.(type) {
		case grpc.HeaderCallOption:
			*opt.HeaderAddr = readMetadata(s.info.ResponseHeader())
		case grpc.TrailerCallOption:
			*opt.TrailerAddr = s.trailer
		case grpc.PeerCallOption:
			*opt.PeerAddr = s.trace.peer()
		}
	}
	if s.wire != nil {
		_ = s.wire.CloseRequest()
		_ = s.wire.CloseResponse()
	}
}

// finish reports the end of the call, and releases what it holds.
func (s *stream) finish(err error) {
	s.finished.Do(func() {
		if err == io.EOF {
			err = nil
		}
		s.end()
		s.trace.end(err)
		for _, f := range s.opts.onFinish {
			f(err)
		}
	})
}

// Header implements [grpc.ClientStream].
func (s *stream) Header() (metadata.MD, error) {
	if err := s.wait(); err != nil && s.ctx.Err() != nil {
		return nil, statusError(err)
	}
	return readMetadata(s.info.ResponseHeader()), nil
}

// Trailer implements [grpc.ClientStream].
func (s *stream) Trailer() metadata.MD { return s.trailer }

// Context implements [grpc.ClientStream].
func (s *stream) Context() context.Context { return s.ctx }
