package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// webLoad is a client that makes one HTTP/1.1 request again and again, on as many connections as
// calls are in progress. Like load it knows only what it needs, to leave the CPU to the server.
type webLoad struct {
	addr    string
	request []byte
	size    int // of every reply's body
	conns   []*webConn
}

// newWebLoad connects with a server, and checks the reply to its first request.
func newWebLoad(ctx context.Context, addr string, s scenario) (*webLoad, error) {
	body, err := s.body()
	if err != nil {
		return nil, err
	}
	l := &webLoad{addr: addr, request: append([]byte(s.web.head(addr, len(body))), body...)}
	if err := l.connect(ctx, 1); err != nil {
		return nil, err
	}
	reply, err := l.conns[0].call(l.request, true)
	if err == nil {
		err = s.check(reply)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), l.close())
	}
	l.size = len(reply)
	return l, nil
}

func (l *webLoad) connect(ctx context.Context, n int) error {
	for len(l.conns) < n {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.addr)
		if err != nil {
			return err
		}
		l.conns = append(l.conns, &webConn{Conn: conn, in: bufio.NewReaderSize(conn, 32<<10)})
	}
	return nil
}

func (l *webLoad) close() (err error) {
	for _, c := range l.conns {
		err = errors.Join(err, c.Close())
	}
	return err
}

// run implements caller.
func (l *webLoad) run(concurrency int, d time.Duration) (result, error) {
	if err := l.connect(context.Background(), concurrency); err != nil {
		return result{}, err
	}
	start := time.Now()
	deadline := start.Add(d)
	latencies := make([][]time.Duration, concurrency)
	var calls errgroup.Group
	for i := range concurrency {
		calls.Go(func() (err error) {
			latencies[i], err = l.callUntil(l.conns[i], deadline)
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return result{}, err
	}
	r := result{Took: time.Since(start)}
	for _, took := range latencies {
		r.Latencies = append(r.Latencies, took...)
	}
	return r, nil
}

func (l *webLoad) callUntil(c *webConn, deadline time.Time) (latencies []time.Duration, err error) {
	if err := c.SetDeadline(deadline.Add(30 * time.Second)); err != nil {
		return nil, err
	}
	for now := time.Now(); len(latencies) == 0 || now.Before(deadline); {
		if _, err := c.call(l.request, false); err != nil {
			return nil, err
		}
		if c.size != l.size {
			return nil, fmt.Errorf("a reply of %d bytes, the first had %d", c.size, l.size)
		}
		began := now
		now = time.Now()
		latencies = append(latencies, now.Sub(began))
	}
	return latencies, nil
}

// webConn is a connection on which one request after another is made.
type webConn struct {
	net.Conn
	in   *bufio.Reader
	size int // of the last reply's body
	kept []byte
	keep bool
}

// call makes a request. It returns the body of the reply if it is to keep it.
func (c *webConn) call(request []byte, keep bool) ([]byte, error) {
	c.size, c.kept, c.keep = 0, nil, keep
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	status, err := c.line()
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		c.keep = true
		return nil, errors.Join(fmt.Errorf("the server answers %s", bytes.Clone(status)), c.body(), fmt.Errorf("%.300s", c.kept))
	}
	err = c.body()
	return c.kept, err
}

// line reads a line without its end. It is valid until the next read.
func (c *webConn) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// body reads the headers and the body of a reply.
func (c *webConn) body() error {
	length, chunked := 0, false
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		switch name, value, _ := bytes.Cut(line, []byte(": ")); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if !chunked {
		return c.take(length)
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return err
		}
		if err := c.take(int(size)); err != nil {
			return err
		}
		if _, err := c.line(); err != nil || size == 0 {
			return err
		}
	}
}

// take reads n bytes of the body.
func (c *webConn) take(n int) error {
	c.size += n
	if !c.keep {
		_, err := c.in.Discard(n)
		return err
	}
	part := make([]byte, n)
	_, err := io.ReadFull(c.in, part)
	c.kept = append(c.kept, part...)
	return err
}
