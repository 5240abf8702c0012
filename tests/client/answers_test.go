package client

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
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestAnswers answers each kind of stub with the messages that
// TestHostileMessages sends to servers.
func TestAnswers(t *testing.T) {
	t.Parallel()
	bodies := make(map[string][]byte)
	for _, m := range lab.Hostile {
		bodies[m.Name] = m.Body
	}
	addr := rig.LocalGRPC(t, func(*grpc.Server) {}, grpc.ForceServerCodec(rig.Codec{}), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		var name []byte
		if err := s.RecvMsg(&name); err != nil {
			return err
		}
		body := bodies[rig.TextOf(name, 1)]
		return s.SendMsg(&body)
	}))
	c, err := dynclient.Dial(rig.Context(t), addr, dynclient.WithSources(dynclient.Path(rig.Folder(t, map[string]string{"lab.proto": lab.Proto}))))
	rig.Must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	typed, err := dynclient.Unary[lab.Msg, lab.Msg](c, lab.Echo)
	rig.Must(t, err)
	dynamic, err := dynclient.Unary[lab.Msg, dynclient.Dynamic](c, lab.Echo)
	rig.Must(t, err)
	down, err := dynclient.ServerStream[lab.Msg, lab.Msg](c, lab.Down)
	rig.Must(t, err)
	for kind, call := range map[string]func(ctx context.Context, name string) error{
		"typed":   func(ctx context.Context, name string) error { _, err := typed(ctx, &lab.Msg{Text: name}); return err },
		"dynamic": func(ctx context.Context, name string) error { _, err := dynamic(ctx, &lab.Msg{Text: name}); return err },
		"stream": func(ctx context.Context, name string) (err error) {
			for _, err = range down(ctx, &lab.Msg{Text: name}) {
			}
			return err
		},
		"JSON": func(ctx context.Context, name string) error {
			var out json.RawMessage
			return c.Invoke(ctx, lab.Echo, map[string]any{"text": name}, &out)
		},
	} {
		for _, m := range lab.Hostile {
			t.Run(kind+" "+m.Name, func(t *testing.T) {
				rig.WantCode(t, call(rig.Context(t), m.Name), m.Want)
			})
		}
	}
}

// TestBomb sends a small answer that is large after decompression.
func TestBomb(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, err := w.Write(rig.Message(1, rig.Text(2, string(make([]byte, 8<<20)))))
	rig.Must(t, err)
	rig.Must(t, w.Close())
	head := binary.BigEndian.AppendUint32([]byte{1}, uint32(body.Len()))
	addr := serveFrames(t, func(c serverConn, stream uint32) {
		c.begins(stream, "grpc-encoding", "gzip")
		for part := range slices.Chunk(slices.Concat(head, body.Bytes()), 16<<10) {
			_ = c.WriteData(stream, false, part)
		}
		c.fields(stream, true, "grpc-status", "0")
	})
	callInterop(t, addr, "UnaryCall", "--max-recv-bytes", "1000000").Want(t, 72, "", "RESOURCE_EXHAUSTED (8): ")
	c := dialInterop(t, addr)
	var out map[string]any
	rig.WantCode(t, c.Invoke(rig.Context(t), "grpc.testing.TestService/UnaryCall", map[string]any{}, &out), codes.ResourceExhausted)
}
