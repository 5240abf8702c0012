package framing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Socket is a stream of documents in both directions. One goroutine may call Receive
// while another calls Send.
type Socket struct {
	conn    *websocket.Conn
	net     net.Conn // below conn
	max     int64
	timeout time.Duration // of a Send; 0 for none

	docs chan []byte   // from read to Receive
	half chan struct{} // closed when the client has sent its last document
	done chan struct{} // closed by Done
	gone chan struct{} // closed when reading has ended, with readErr
	over chan struct{} // closed when the stream is over

	readErr  error
	doneOnce sync.Once
	stalled  stall

	// The client owes an answer to a ping only while nothing else explains silence.
	busy  atomic.Int32 // documents that are handed over or sent at this time
	moves atomic.Int64 // documents received and sent
}

func newSocket(conn *websocket.Conn, below net.Conn, limit int64, timeout time.Duration) *Socket {
	conn.SetReadLimit(-1) // readDocument has the limit
	return &Socket{
		conn: conn, net: below, max: limit, timeout: timeout,
		docs: make(chan []byte), half: make(chan struct{}), done: make(chan struct{}),
		gone: make(chan struct{}), over: make(chan struct{}),
	}
}

// Receive returns the next document, or io.EOF after the client's last one. The
// caller owns the document. Other errors mean that the stream is over.
func (s *Socket) Receive(ctx context.Context) ([]byte, error) {
	select {
	case doc := <-s.docs:
		return doc, nil
	case <-s.half:
		return nil, io.EOF
	case <-s.gone:
		return nil, s.readErr
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Done says that Receive will not be called again. If the client sends another
// document, the stream is closed with 1008.
func (s *Socket) Done() { s.doneOnce.Do(func() { close(s.done) }) }

// Send sends a document. An error means that the stream is over. When ctx ends, a client
// that does not read has stopTimeout to take the document.
func (s *Socket) Send(ctx context.Context, doc []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.busy.Add(1)
	defer func() {
		s.moves.Add(1)
		s.busy.Add(-1)
	}()
	if s.timeout > 0 {
		s.stalled.begin(s.timeout, func() { _ = s.conn.CloseNow() })
		defer s.stalled.end()
	}
	stop := context.AfterFunc(ctx, func() { _ = s.net.SetWriteDeadline(time.Now().Add(stopTimeout)) })
	defer stop()
	// With ctx, the library could close the connection after a Write that has succeeded,
	// and the client would not be told why.
	return s.conn.Write(context.Background(), websocket.MessageText, doc)
}

// closing is why a WebSocket is closed.
type closing struct {
	code   websocket.StatusCode
	reason string
}

func (c *closing) Error() string {
	return fmt.Sprintf("WebSocket closed with %d: %s", c.code, c.reason)
}

// read hands documents to Receive until the connection or the stream ends. It
// returns the reason. A *closing is one that the client has to be told.
func (s *Socket) read() error {
	ended := false // by an empty frame
	for {
		doc, err := s.readDocument()
		switch {
		case err != nil:
			return err
		case len(doc) == 0 && !ended:
			ended = true
			close(s.half)
			continue
		case len(doc) == 0:
			continue
		case ended:
			return &closing{websocket.StatusPolicyViolation, "a document after the empty frame that ends the stream"}
		}
		if over, err := s.hand(doc); over || err != nil {
			return err
		}
	}
}

// hand gives a document to Receive.
func (s *Socket) hand(doc []byte) (over bool, err error) {
	s.busy.Add(1)
	defer func() {
		s.moves.Add(1)
		s.busy.Add(-1)
	}()
	select {
	case s.docs <- doc:
		return false, nil
	case <-s.done:
		return false, &closing{websocket.StatusPolicyViolation, "no further document is expected"}
	case <-s.over:
		return true, nil
	}
}

// readDocument reads a frame.
func (s *Socket) readDocument() ([]byte, error) {
	kind, r, err := s.conn.Reader(context.Background()) // ends with the connection
	if err != nil {
		return nil, fmt.Errorf("the client has gone: %w", err)
	}
	if kind != websocket.MessageText {
		return nil, &closing{websocket.StatusUnsupportedData, "documents are sent as text frames"}
	}
	doc, err := io.ReadAll(io.LimitReader(r, s.max+1))
	if err != nil {
		return nil, fmt.Errorf("the client has gone: %w", err)
	}
	if int64(len(doc)) > s.max {
		return nil, &closing{websocket.StatusMessageTooBig, fmt.Sprintf("a document is larger than %d bytes", s.max)}
	}
	return doc, nil
}

// ping sends pings until ctx ends. It returns an error if the client does not answer.
// A client whose documents wait for Receive, or which takes a document slowly, is
// not expected to answer.
func (s *Socket) ping(ctx context.Context, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		moves := s.moves.Load()
		if s.busy.Load() > 0 {
			continue
		}
		wait, cancel := context.WithTimeout(ctx, interval)
		err := s.conn.Ping(wait)
		cancel()
		if err != nil && ctx.Err() == nil && s.busy.Load() == 0 && s.moves.Load() == moves {
			return errors.New("the client did not answer a ping")
		}
	}
}
