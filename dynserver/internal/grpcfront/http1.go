package grpcfront

import (
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"
)

// protocols is what the front speaks, in messages to callers.
const protocols = "this port speaks gRPC (HTTP/2) with protobuf messages (application/grpc, application/grpc+proto)"

// refusal answers every request of HTTP/1.
var refusal = fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"+
	"Content-Length: %d\r\nConnection: close\r\n\r\n%s\n", len(protocols)+1, protocols)

// greet reads the first bytes of a connection without TLS and answers a client that
// speaks HTTP/1. It must do so before grpc takes the connection: grpc begins with a
// frame of its own, which such a client would take for the answer.
func (l *limiter) greet(raw net.Conn) (net.Conn, error) {
	begin, err := readPreface(raw)
	if err != nil {
		return nil, err
	}
	if !isHTTP1(begin) {
		c := newConn(raw, l)
		c.early = begin
		return c, nil
	}
	if _, err := io.WriteString(raw, refusal); err != nil {
		return nil, fmt.Errorf("refusing HTTP/1: %w", err)
	}
	if l.linger(raw) {
		return nil, credentials.ErrConnDispatched // grpc leaves the connection alone then
	}
	return nil, io.EOF // grpc closes the connection and logs nothing
}

// readPreface reads the preface of HTTP/2, or the first bytes up to a read that differs
// from it. It reads nothing beyond the preface. grpc has set a deadline.
func readPreface(c net.Conn) ([]byte, error) {
	var buf [prefaceSize]byte
	n := 0
	for n < prefaceSize && string(buf[:n]) == http2.ClientPreface[:n] {
		more, err := c.Read(buf[n:])
		n += more
		if more == 0 && err != nil {
			return nil, err
		}
	}
	return buf[:n], nil
}

// isHTTP1 reports whether a connection that begins so speaks HTTP/1: it begins with a
// method in capital letters and not with the preface of HTTP/2.
func isHTTP1(begin []byte) bool {
	if strings.HasPrefix(string(begin), "PRI * HTTP/2") {
		return false
	}
	method, _, _ := strings.Cut(string(begin), " ")
	return method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
