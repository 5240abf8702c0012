package watch

import (
	"context"
	"reflect"
	"time"
)

// signals waits for several signals, timers and events.
type signals struct {
	all   []Signal
	armed []<-chan struct{} // nil once it has fired
}

// arm prepares signals to notice all later changes.
func (s *signals) arm() {
	s.armed = s.armed[:0]
	for _, signal := range s.all {
		s.armed = append(s.armed, signal.Changed())
	}
}

// wait receives from the first ready channel of others. It returns the
// channel's index and the received value. The index is fired for a signal, and
// ended when ctx ends.
func (s *signals) wait(ctx context.Context, others ...any) (index int, value reflect.Value) {
	cases := make([]reflect.SelectCase, 0, len(others)+1+len(s.armed))
	add := func(channel any) {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(channel)})
	}
	for _, channel := range others {
		add(channel)
	}
	add(ctx.Done())
	for _, channel := range s.armed {
		add(channel)
	}
	i, value, _ := reflect.Select(cases)
	switch signal := i - len(others) - 1; {
	case i < len(others):
		return i, value
	case signal < 0:
		return ended, value
	default:
		s.armed[signal] = nil
		return fired, value
	}
}

const (
	fired = -1
	ended = -2
)

// settler detects the end of a burst of changes.
type settler struct {
	settle        time.Duration
	quiet, enough <-chan time.Time // nil until something changes
}

func (s *settler) changed() {
	s.quiet = time.After(s.settle)
	if s.enough == nil {
		s.enough = time.After(patience * s.settle)
	}
}
