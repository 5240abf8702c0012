package tests

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/dynserver"
)

// TestNoLeaks starts and stops servers and looks for what they leave behind. It
// does not run in parallel, so that there are no other servers around; the end
// of the whole run is checked as well (see TestMain).
func TestNoLeaks(t *testing.T) {
	for name, use := range map[string]func(t *testing.T){
		"served and watched": func(t *testing.T) {
			s := startLab(t, func(c *dynserver.Config) { c.Watch = true })
			s.alive(t)
			hold := open(t.Context(), t, s.conn, labHold).send(nil).done()
			hold.mustRecv()
			must(t, s.conn.Close())
		},
		"errors": func(t *testing.T) {
			if _, err := newServer(t, protoConfig(t, "broken", nil)); err == nil {
				t.Error("want an error")
			}
		},
		"never served": func(t *testing.T) {
			srv, err := newServer(t, protoConfig(t, labProto, nil))
			must(t, err)
			must(t, srv.Shutdown(t.Context()))
		},
	} {
		before := goleak.IgnoreCurrent()
		t.Run(name, use)
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
