package tests

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
)

// dial connects to an address as dyngate prints it.
func dial(t testing.TB, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	conn, err := grpc.NewClient(addr, opts...)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// rawCodec sends and receives messages as the bytes they are: *[]byte.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = slices.Clone(data)
	return nil
}

// invoke makes a unary call of raw bytes.
func invoke(ctx context.Context, conn *grpc.ClientConn, path string, in []byte, opts ...grpc.CallOption) ([]byte, error) {
	var out []byte
	err := conn.Invoke(ctx, path, &in, &out, append(opts, grpc.ForceCodec(rawCodec{}))...)
	return out, err
}

// rawStream is a call of any shape, of raw bytes.
type rawStream struct {
	grpc.ClientStream
	t testing.TB
}

// open begins a call; both sides may stream, whatever the method says.
func open(ctx context.Context, t testing.TB, conn *grpc.ClientConn, path string, opts ...grpc.CallOption) *rawStream {
	t.Helper()
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, desc, path, append(opts, grpc.ForceCodec(rawCodec{}))...)
	must(t, err)
	return &rawStream{ClientStream: stream, t: t}
}

func (s *rawStream) send(messages ...[]byte) *rawStream {
	s.t.Helper()
	for _, m := range messages {
		if err := s.SendMsg(&m); err != nil && !errors.Is(err, io.EOF) {
			s.t.Fatal(err)
		}
	}
	return s
}

func (s *rawStream) done() *rawStream {
	s.t.Helper()
	must(s.t, s.CloseSend())
	return s
}

func (s *rawStream) recv() ([]byte, error) {
	var out []byte
	err := s.RecvMsg(&out)
	return out, err
}

// mustRecv receives one message.
func (s *rawStream) mustRecv() []byte {
	s.t.Helper()
	out, err := s.recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// all receives to the end: the error is nil for OK.
func (s *rawStream) all() (messages [][]byte, err error) {
	for {
		m, err := s.recv()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, m)
	}
}

// wantCode fails the test unless err has that code.
func wantCode(t testing.TB, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

// text is a field that is a string.
func text(n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), s)
}

// number is a field that is a varint.
func number(n protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), uint64(v))
}

// message is a field that is a message of these fields.
func message(n protowire.Number, fields ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), slices.Concat(fields...))
}

// textOf is the last string in field n of a message, or "".
func textOf(b []byte, n protowire.Number) (s string) {
	for len(b) > 0 {
		num, typ, size := protowire.ConsumeField(b)
		if size < 0 {
			return s
		}
		if num == n && typ == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(b)
			value, _ := protowire.ConsumeBytes(b[tag:])
			s = string(value)
		}
		b = b[size:]
	}
	return s
}
