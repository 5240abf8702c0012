package rig

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
)

// Dial connects to an address as dyngate prints it.
func Dial(t testing.TB, addr string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)
	conn, err := grpc.NewClient(addr, opts...)
	Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Codec is a codec of grpc whose messages are their bytes, in a *[]byte.
type Codec struct{}

// Name implements encoding.Codec.
func (Codec) Name() string { return "proto" }

// Marshal implements encoding.Codec.
func (Codec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

// Unmarshal implements encoding.Codec.
func (Codec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = slices.Clone(data)
	return nil
}

// Invoke makes a unary call of raw bytes.
func Invoke(ctx context.Context, conn *grpc.ClientConn, path string, in []byte, opts ...grpc.CallOption) ([]byte, error) {
	var out []byte
	err := conn.Invoke(ctx, path, &in, &out, append(opts, grpc.ForceCodec(Codec{}))...)
	return out, err
}

// Stream is a call of any shape, of raw bytes.
type Stream struct {
	grpc.ClientStream
	t testing.TB
}

// Open begins a call. Both sides may stream, whatever the shape of the method.
func Open(ctx context.Context, t testing.TB, conn *grpc.ClientConn, path string, opts ...grpc.CallOption) *Stream {
	t.Helper()
	desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := conn.NewStream(ctx, desc, path, append(opts, grpc.ForceCodec(Codec{}))...)
	Must(t, err)
	return &Stream{ClientStream: stream, t: t}
}

// Send sends messages. It ignores that the call has ended: Recv returns why.
func (s *Stream) Send(messages ...[]byte) *Stream {
	s.t.Helper()
	for _, m := range messages {
		if err := s.SendMsg(&m); err != nil && !errors.Is(err, io.EOF) {
			s.t.Fatal(err)
		}
	}
	return s
}

// Done half-closes the call: no more messages are sent.
func (s *Stream) Done() *Stream {
	s.t.Helper()
	Must(s.t, s.CloseSend())
	return s
}

// Recv receives one message.
func (s *Stream) Recv() ([]byte, error) {
	var out []byte
	err := s.RecvMsg(&out)
	return out, err
}

// MustRecv receives one message, which must come.
func (s *Stream) MustRecv() []byte {
	s.t.Helper()
	out, err := s.Recv()
	Must(s.t, err)
	return out
}

// All receives until the call ends. The error is nil if its code is OK.
func (s *Stream) All() (messages [][]byte, err error) {
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, m)
	}
}

// Text encodes a string field.
func Text(n protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), s)
}

// Number encodes a varint field.
func Number(n protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), uint64(v))
}

// Message encodes a field that is a message of these fields.
func Message(n protowire.Number, fields ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), slices.Concat(fields...))
}

// TextOf returns the last string of field n of a message, "" if there is none.
func TextOf(b []byte, n protowire.Number) (s string) {
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
