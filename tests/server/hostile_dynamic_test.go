package server

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestHostileDynamicRequests sends lab.WildMessages to handlers with dynamic
// messages.
func TestHostileDynamicRequests(t *testing.T) {
	t.Parallel()
	s := lab.StartWild(t)
	for _, w := range lab.WildMessages {
		t.Run(w.Name, func(t *testing.T) {
			want := codes.OK
			if w.JSON == "" {
				want = codes.Internal
			}
			out, err := rig.Invoke(rig.Context(t), s.Conn, "/wild.Wild/Echo", []byte(w.Body))
			rig.WantCode(t, err, want)
			all, err := rig.Open(rig.Context(t), t, s.Conn, "/wild.Wild/Chat").Send([]byte(w.Body)).Done().All()
			rig.WantCode(t, err, want)
			if want != codes.OK {
				return
			}
			for _, got := range append(all, out) {
				sameWild(t, s, got, w.JSON)
			}
		})
	}
}

// sameWild compares a message on the wire with JSON.
func sameWild(t *testing.T, s *rig.Server, got []byte, want string) {
	t.Helper()
	c, err := dynclient.Dial(rig.Context(t), s.Addr)
	rig.Must(t, err)
	defer c.Close()
	m, err := c.Schema().Method(rig.Context(t), "wild.Wild/Echo")
	rig.Must(t, err)
	msg := m.NewRequest()
	rig.Must(t, proto.Unmarshal(got, msg.Interface()))
	text, err := protojson.Marshal(msg.Interface())
	rig.Must(t, err)
	rig.WantJSON(t, string(text), want)
}
