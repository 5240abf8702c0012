package dispatch

import (
	"sync"
	"testing"

	"github.com/dyngate/dyngate/handlers"
)

// TestLeasesEndWithTheirLastCall follows answers through generations that calls
// outlive, that are stale, and that are not served.
func TestLeasesEndWithTheirLastCall(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	load := func(files map[string]string, list ...*handlers.Registration) (*answers, *Generation) {
		t.Helper()
		prev := b.current
		b.reload(files)
		a := &answers{list: list}
		lease := NewLease(a.list, a.Release)
		b.input.Leases = []*Lease{lease}
		b.current.Unpin()
		b.current, b.diags = b.builder.Build(prev, b.input)
		lease.Release() // by whoever loads
		return a, b.current
	}
	expect := func(when string, a *answers, want int) {
		t.Helper()
		if a.released != want {
			t.Errorf("%s: released %d times, want %d", when, a.released, want)
		}
	}
	var current Current
	reg := registration("p.A", echo)
	one, g1 := load(map[string]string{"a.proto": service("A", "")}, reg)
	current.Swap(g1)
	expect("while it is served", one, 0)
	call := current.Pin()

	two, g2 := load(nil, registration("p.A", echo))
	current.Swap(g2)
	expect("while a call uses it", one, 0)
	if current.Calls() != 1 {
		t.Errorf("%d calls", current.Calls())
	}
	call.Unpin()
	expect("after its last call", one, 1)
	if current.Calls() != 0 {
		t.Errorf("%d calls", current.Calls())
	}

	broken, g3 := load(map[string]string{"a.proto": "syntax ="}, registration("p.A", echo))
	current.Swap(g3)
	expect("while a stale service uses it", two, 0)
	expect("what nothing uses", broken, 1)

	unused, g4 := load(map[string]string{"a.proto": service("A", "")}, registration("p.A", echo))
	expect("while it may be served", unused, 0)
	g4.Unpin()
	expect("when it is not served", unused, 1)
	expect("while a stale service uses it", two, 0)

	current.Close()
	expect("after the end", two, 1)
	if g := current.Pin(); g.Route("/p.A/Call") != nil || g.Unknown("/p.A/Call") == nil {
		t.Error("something is served after the end")
	}
}

// TestPin pins generations while they are swapped.
func TestPin(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"a.proto": service("A", "")})
	var current Current
	build := func() *answers {
		a := &answers{list: []*handlers.Registration{registration("p.A", echo)}}
		lease := NewLease(a.list, a.Release)
		b.input.Leases = []*Lease{lease}
		g, _ := b.builder.Build(nil, b.input)
		current.Swap(g)
		lease.Release()
		return a
	}
	all := []*answers{build()}
	var callers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				g := current.Pin()
				if g.held[0].users.Load() <= 0 {
					t.Error("a call uses what was released")
				}
				g.Unpin()
			}
		})
	}
	for range 200 {
		all = append(all, build())
	}
	close(stop)
	callers.Wait()
	current.Close()
	for i, a := range all {
		if a.released != 1 {
			t.Errorf("answers %d of %d were released %d times", i, len(all), a.released)
		}
	}
	if current.Calls() != 0 || len(current.past) != 0 {
		t.Errorf("%d calls, %d generations left", current.Calls(), len(current.past))
	}
}
