package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// poller looks at all files regularly.
type poller struct {
	*watcher
	roots []Root
	seen  picture
}

func (p *poller) close() {}

func (p *poller) wait(ctx context.Context) (moved bool) {
	for ctx.Err() == nil {
		signalled := p.pause(ctx)
		if signalled {
			sleep(ctx, p.Settle)
		}
		before := p.seen
		p.seen = look(ctx, p.roots)
		if p.seen.differs(before) {
			p.settle(ctx)
			return false
		}
		if signalled || before.fresh && !p.seen.fresh {
			// The file system's clock may have hidden a second change behind the first.
			return false
		}
	}
	return false
}

// pause waits for the next look, and reports whether a signal asked for it.
func (p *poller) pause(ctx context.Context) (signalled bool) {
	timer := time.NewTimer(max(p.Poll, 10*p.seen.took))
	defer timer.Stop()
	i, _ := p.signals.wait(ctx, timer.C)
	return i == fired
}

// settle looks until nothing changes between two looks.
func (p *poller) settle(ctx context.Context) {
	for range patience {
		sleep(ctx, max(p.Settle, p.seen.took))
		before := p.seen
		if p.seen = look(ctx, p.roots); !p.seen.differs(before) || p.seen.cut || ctx.Err() != nil {
			return
		}
	}
}

// picture is what one look gives.
type picture struct {
	sum   [sha256.Size]byte
	cut   bool // the look took too long
	fresh bool
	took  time.Duration
}

// differs reports whether something changed between an earlier look and this one, as
// far as is known.
func (p picture) differs(before picture) bool { return p.sum != before.sum || p.cut }

// look looks at all files.
func look(ctx context.Context, roots []Root) picture {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	s := newSurvey(ctx, maxFolders)
	err := s.run(roots)
	out := s.picture()
	out.cut = errors.Is(err, context.DeadlineExceeded)
	return out
}

// picture returns how everything looked.
func (s *survey) picture() picture {
	out := picture{fresh: s.fresh, took: time.Since(s.start)}
	s.hash.Sum(out.sum[:0])
	return out
}
