package schema

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// watchPolling looks at all files every opts.Poll until ctx ends.
func (c *Compiler) watchPolling(ctx context.Context, opts WatchOptions, changed func(context.Context)) {
	seen := c.look(ctx)
	c.catchUp(ctx, changed)
	for {
		again, ok := c.pause(ctx, opts)
		if !ok {
			return
		}
		now := c.look(ctx)
		if now.sum == seen.sum {
			if again || seen.fresh && !now.fresh {
				// The file system's clock may have hidden a second change behind the first.
				changed(ctx)
			}
			seen = now
			continue
		}
		seen = now
		for range patience {
			if !sleep(ctx, opts.Settle) {
				return
			}
			if now = c.look(ctx); now.sum == seen.sum {
				break
			}
			seen = now
		}
		changed(ctx)
	}
}

// pause waits for the next look. Again says that one was asked for, or that a file was
// compiled that a Compile did not wait for; ok is false when ctx ended.
func (c *Compiler) pause(ctx context.Context, opts WatchOptions) (again, ok bool) {
	timer := time.NewTimer(opts.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, false
	case <-opts.Again:
		return true, true
	case <-c.nudged:
		return true, true
	case <-timer.C:
		return false, true
	}
}

// sleep returns false if ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// look is what one look at all files gives.
type look struct {
	sum   [sha256.Size]byte
	fresh bool // a file changed so recently that its time proves nothing
}

func (c *Compiler) look(ctx context.Context) look {
	l := looker{ctx: ctx, hash: sha256.New(), now: time.Now()}
	beside := c.beside()
	for i, s := range c.opts.Sources {
		if s.path == "" {
			continue
		}
		kind, err := s.kind()
		fmt.Fprintln(l.hash, i, kind, err)
		switch kind {
		case kindFS:
		case kindFolder:
			l.folder(s.path)
		case kindFile, kindSet:
			l.stat(s.path)
			for _, p := range beside[i] {
				l.stat(filepath.Join(filepath.Dir(s.path), filepath.FromSlash(p)))
			}
		}
	}
	out := look{fresh: l.fresh}
	l.hash.Sum(out.sum[:0])
	return out
}

type looker struct {
	ctx   context.Context
	hash  hash.Hash
	now   time.Time
	fresh bool
}

func (l *looker) folder(root string) {
	w := walker{
		ctx:  l.ctx,
		fsys: os.DirFS(root),
		file: func(p string, _ bool, info fs.FileInfo, err error) error {
			l.add(p, info, err)
			return nil
		},
		broken: func(dir string, err error) { fmt.Fprintln(l.hash, dir, err) },
	}
	fmt.Fprintln(l.hash, w.walk(".", nil))
}

func (l *looker) stat(path string) {
	info, err := os.Stat(path)
	l.add(path, info, err)
}

func (l *looker) add(path string, info fs.FileInfo, err error) {
	if err != nil {
		fmt.Fprintln(l.hash, path, err)
		return
	}
	fmt.Fprintln(l.hash, path, info.Size(), info.ModTime().UnixNano(), info.Mode(), inode(info))
	l.fresh = l.fresh || l.now.Sub(info.ModTime()) < settled
}
