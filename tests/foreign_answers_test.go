package tests

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/dynclient"
)

// TestForeignAnswers has a server send what TestHostileMessages sends to one, to
// clients of every kind.
func TestForeignAnswers(t *testing.T) {
	t.Parallel()
	bodies := make(map[string][]byte)
	for _, m := range hostileMessages {
		bodies[m.name] = m.body
	}
	addr := startGRPC(t, func(*grpc.Server) {}, grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		var name []byte
		if err := s.RecvMsg(&name); err != nil {
			return err
		}
		body := bodies[textOf(name, 1)]
		return s.SendMsg(&body)
	}))
	c, err := dynclient.Dial(timeout(t), addr, dynclient.WithSources(dynclient.Path(folder(t, map[string]string{"lab.proto": labProto}))))
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	typed, err := dynclient.Unary[labMsg, labMsg](c, labEcho)
	must(t, err)
	dynamic, err := dynclient.Unary[labMsg, dynclient.Dynamic](c, labEcho)
	must(t, err)
	down, err := dynclient.ServerStream[labMsg, labMsg](c, labDown)
	must(t, err)
	for kind, call := range map[string]func(ctx context.Context, name string) error{
		"typed":   func(ctx context.Context, name string) error { _, err := typed(ctx, &labMsg{Text: name}); return err },
		"dynamic": func(ctx context.Context, name string) error { _, err := dynamic(ctx, &labMsg{Text: name}); return err },
		"stream": func(ctx context.Context, name string) (err error) {
			for _, err = range down(ctx, &labMsg{Text: name}) {
			}
			return err
		},
		"JSON": func(ctx context.Context, name string) error {
			var out json.RawMessage
			return c.Invoke(ctx, labEcho, map[string]any{"text": name}, &out)
		},
	} {
		for _, m := range hostileMessages {
			t.Run(kind+" "+m.name, func(t *testing.T) {
				wantCode(t, call(timeout(t), m.name), m.want)
			})
		}
	}
}

// TestForeignBomb sends a small answer that is large once it is decompressed.
func TestForeignBomb(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, err := w.Write(message(1, text(2, string(make([]byte, 8<<20)))))
	must(t, err)
	must(t, w.Close())
	head := binary.BigEndian.AppendUint32([]byte{1}, uint32(body.Len()))
	addr := serveFrames(t, func(c rawConn, stream uint32) {
		c.begins(stream, "grpc-encoding", "gzip")
		for part := range slices.Chunk(slices.Concat(head, body.Bytes()), 16<<10) {
			_ = c.WriteData(stream, false, part)
		}
		c.fields(stream, true, "grpc-status", "0")
	})
	callInterop(t, addr, "UnaryCall", "--max-recv-bytes", "1000000").want(t, 72, "", "RESOURCE_EXHAUSTED (8): ")
	c := dialInterop(t, addr)
	var out map[string]any
	wantCode(t, c.Invoke(timeout(t), "grpc.testing.TestService/UnaryCall", map[string]any{}, &out), codes.ResourceExhausted)
}
