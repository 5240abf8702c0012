package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// notifier receives notifications of changes from the operating system. It also
// polls folders mounted by Kubernetes, slowly: all of their files change when
// one link is swapped, and a missed notification would leave them stale
// forever.
type notifier struct {
	*survey
	watcher *watcher
	roots   []Root
	events  *fsnotify.Watcher
}

// notify watches all folders that currently matter.
func (w *watcher) notify(ctx context.Context, roots []Root) (_ *notifier, err error) {
	events, err := w.newEvents()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = events.Close()
		}
	}()
	s := newSurvey(ctx, w.maxWatched)
	s.enter = func(dir string) error {
		err := events.Add(dir)
		switch {
		case err == nil || errors.Is(err, fs.ErrNotExist): // removed during the survey: there is an event in the folder above
			return nil
		case errors.Is(err, fs.ErrPermission): // readers report that it cannot be read
			s.partial = true
			return nil
		}
		return fmt.Errorf("watching %s: %w", dir, err)
	}
	if err := s.run(roots); err != nil {
		return nil, err
	}
	if dir := s.remote(); dir != "" {
		return nil, errors.New(dir + " is on a file system that does not report all changes")
	}
	return &notifier{s, w, roots, events}, nil
}

func (n *notifier) close() { _ = n.events.Close() }

func (n *notifier) wait(ctx context.Context) (moved bool) {
	burst := settler{settle: n.watcher.Settle}
	var tick <-chan time.Time
	if n.swapped {
		ticker := time.NewTicker(n.watcher.swapPoll)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		i, value := n.watcher.signals.wait(ctx, burst.quiet, burst.enough, n.events.Events, n.events.Errors, tick)
		switch i {
		case ended, 0, 1:
			return moved || n.partial || n.swapped
		case 2:
			event, _ := value.Interface().(fsnotify.Event)
			matters, moves := n.matters(event)
			if !matters {
				continue
			}
			moved = moved || moves
		case 3:
			moved = true // events were probably lost: survey everything
		case 4:
			if now := look(ctx, n.roots); !now.differs(n.picture()) {
				continue
			}
			moved = true
		}
		burst.changed()
	}
}

// matters reports whether an event may be a change, and whether other folders
// may matter after it.
func (s *survey) matters(event fsnotify.Event) (matters, moves bool) {
	name := filepath.Clean(event.Name)
	_, watched := s.dirs[name]
	comesOrGoes := event.Op&^(fsnotify.Write|fsnotify.Chmod) != 0
	suffixes := s.dirs[filepath.Dir(name)]
	switch {
	case s.files[name]:
		return true, isLink(name)
	case s.ways[name] || watched:
		return comesOrGoes, comesOrGoes
	case len(suffixes) == 0 || isHidden(name):
		return false, false
	}
	if event.Has(fsnotify.Create) {
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			return true, true
		}
	}
	selected := slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
	return selected, selected && isLink(name)
}

func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && !info.Mode().IsRegular()
}
