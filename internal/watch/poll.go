package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// poller polls all files.
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
			// A second change may have the same time as the first.
			return false
		}
	}
	return false
}

// pause waits until the next poll, and reports whether a signal caused it.
func (p *poller) pause(ctx context.Context) (signalled bool) {
	timer := time.NewTimer(max(p.Poll, 10*p.seen.took))
	defer timer.Stop()
	i, _ := p.signals.wait(ctx, timer.C)
	return i == fired
}

// settle polls until nothing changes between two polls.
func (p *poller) settle(ctx context.Context) {
	for range patience {
		sleep(ctx, max(p.Settle, p.seen.took))
		before := p.seen
		if p.seen = look(ctx, p.roots); !p.seen.differs(before) || p.seen.cut || ctx.Err() != nil {
			return
		}
	}
}

// picture is the result of one poll.
type picture struct {
	sum   [sha256.Size]byte
	cut   bool // the poll took too long
	fresh bool
	took  time.Duration
}

// differs reports whether something may have changed since an earlier poll.
func (p picture) differs(before picture) bool { return p.sum != before.sum || p.cut }

// look polls all files.
func look(ctx context.Context, roots []Root) picture {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	s := newSurvey(ctx, maxFolders)
	err := s.run(roots)
	out := s.picture()
	out.cut = errors.Is(err, context.DeadlineExceeded)
	return out
}

// picture returns the result of a survey.
func (s *survey) picture() picture {
	out := picture{fresh: s.fresh, took: time.Since(s.start)}
	s.hash.Sum(out.sum[:0])
	return out
}
