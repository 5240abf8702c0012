package dynclient

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// wireStream is a call of any shape whose messages are bytes.
type wireStream struct {
	ctx    context.Context // the stream's Context method would turn off retries
	client *Client
	method *Method
	stream grpc.ClientStream
	cancel context.CancelFunc
	end    func() // cancels, and releases the context of the options

	unary    bool // there is at most one response
	answered bool
}

// open starts a call with a prepared context and options. It takes ownership of
// release. The caller must call end.
func (c *Client) open(ctx context.Context, release func(), m *Method, desc *grpc.StreamDesc, opts []grpc.CallOption) (*wireStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	end := func() { cancel(); release() }
	stream, err := c.conn.NewStream(ctx, desc, "/"+m.Path(), opts...)
	if err != nil {
		end()
		return nil, c.failure(m, err)
	}
	return &wireStream{ctx: ctx, client: c, method: m, stream: stream, cancel: cancel, end: end, unary: !desc.ServerStreams}, nil
}

// sendBytes sends a request and takes ownership of it. io.EOF means that the
// call has ended; recvBytes returns the error.
func (w *wireStream) sendBytes(buf mem.Buffer) error {
	err := w.stream.SendMsg(&frame{data: mem.BufferSlice{buf}})
	buf.Free()
	if err != nil && err != io.EOF {
		return w.client.failure(w.method, err)
	}
	return err
}

// closeSend tells the server that there are no more requests. recvBytes returns
// the error if it fails.
func (w *wireStream) closeSend() { _ = w.stream.CloseSend() }

// recvBytes returns the next response, which the caller must free; io.EOF if
// the call has ended without an error.
func (w *wireStream) recvBytes() (mem.BufferSlice, error) {
	if w.unary && w.answered {
		return nil, io.EOF
	}
	var f frame
	if err := w.stream.RecvMsg(&f); err != nil {
		f.data.Free()
		if err == io.EOF {
			return nil, io.EOF
		}
		return nil, w.client.failure(w.method, err)
	}
	w.answered = true
	return f.data, nil
}
