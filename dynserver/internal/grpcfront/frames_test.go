package grpcfront

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/http2"
)

// TestFrames finds the same heads however a connection is cut into reads.
func TestFrames(t *testing.T) {
	var b bytes.Buffer
	w := http2.NewFramer(&b, nil)
	for _, err := range []error{
		w.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}), w.WriteSettingsAck(),
		w.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("block")}),
		w.WriteContinuation(1, true, []byte("more")), w.WriteData(1, false, nil), w.WriteData(1, true, nil),
		w.WriteRSTStream(3, http2.ErrCodeProtocol), w.WriteRSTStream(5, http2.ErrCodeNo),
		w.WriteData(7, false, make([]byte, 20_000)), w.WritePing(false, [8]byte{}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	type kind struct{ idle, resets bool }
	want := []kind{{true, false}, {}, {}, {}, {true, false}, {}, {true, true}, {true, false}, {}, {}}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		rest, f := b.Bytes(), frames{}
		var got []kind
		for len(rest) > 0 {
			n := min(len(rest), 1+random.IntN(1+random.IntN(300)))
			for h, p, ok := f.next(rest[:n]); ok; h, p, ok = f.next(p) {
				got = append(got, kind{h.idle(), h.resetsClient()})
			}
			rest = rest[n:]
		}
		if !slices.Equal(got, want) || !f.between() {
			t.Fatalf("seed %d: %v, want %v; between frames: %v", seed, got, want, f.between())
		}
	}
}
