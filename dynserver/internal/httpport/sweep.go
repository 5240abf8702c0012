package httpport

import "time"

// A read or write that makes no progress is found by a sweep of all requests in
// progress, because a timer or deadline for each read and write would cost as much as
// the read itself. A limit is exceeded by up to a quarter.

// sweeps is how many sweeps there are in the shorter time limit.
const sweeps = 4

func (s *Server) initSweep() {
	s.tick.Store(1)
	for _, limit := range []time.Duration{s.opts.BodyTimeout, s.opts.StallTimeout} {
		if limit > 0 && (s.every == 0 || limit/sweeps < s.every) {
			s.every = max(limit/sweeps, time.Millisecond)
		}
	}
}

// startSweep sets the timer, unless it is set or a sweep is in progress. The caller
// holds s.mu.
func (s *Server) startSweep() {
	if s.sweeping || s.every == 0 {
		return
	}
	s.sweeping = true
	if s.timer == nil {
		s.timer = time.AfterFunc(s.every, s.sweep) // not set again once there are no requests
		return
	}
	s.timer.Reset(s.every)
}

// sweep ends the reads and writes that take too long. One runs at a time.
func (s *Server) sweep() {
	now := s.tick.Add(1)
	var slow, stalled []*exchange
	s.mu.Lock()
	for x := range s.active {
		switch {
		case s.exceeds(s.opts.StallTimeout, x.writing.Load(), now):
			stalled = append(stalled, x)
		case s.exceeds(s.opts.BodyTimeout, x.reading.Load(), now) && !x.pauses:
			slow = append(slow, x)
		}
	}
	s.mu.Unlock()
	for _, x := range stalled {
		x.fail(errStalled, true)
	}
	for _, x := range slow {
		if x.pauses = s.opts.Pauses(x.request); !x.pauses {
			x.fail(errSlow(s.opts.BodyTimeout), false)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweeping = false
	if len(s.active) > 0 {
		s.startSweep()
	}
}

// exceeds reports whether something that began at a tick, or 0, takes longer than
// limit.
func (s *Server) exceeds(limit time.Duration, began, now int64) bool {
	return began != 0 && limit > 0 && time.Duration(now-began-1)*s.every >= limit
}
