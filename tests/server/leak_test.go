package server

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestNoLeaks starts and stops servers and looks for goroutines that they leave
// behind. It is not parallel, so there are no other servers. TestMain looks again
// after all tests.
func TestNoLeaks(t *testing.T) {
	for name, use := range map[string]func(t *testing.T){
		"served and watched": func(t *testing.T) {
			s := lab.Start(t, func(c *dynserver.Config) { c.Watch = true })
			lab.Alive(t, s)
			hold := rig.Open(t.Context(), t, s.Conn, lab.Hold).Send(nil).Done()
			hold.MustRecv()
			rig.Must(t, s.Conn.Close())
		},
		"errors": func(t *testing.T) {
			if _, err := rig.New(t, rig.Config(t, "broken", nil)); err == nil {
				t.Error("want an error")
			}
		},
		"never served": func(t *testing.T) {
			srv, err := rig.New(t, rig.Config(t, lab.Proto, nil))
			rig.Must(t, err)
			rig.Must(t, srv.Shutdown(t.Context()))
		},
	} {
		before := goleak.IgnoreCurrent()
		t.Run(name, use)
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
