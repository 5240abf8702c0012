package rig

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"
)

// Patience is how long to wait for what must happen. It is generous: only a
// failing test waits that long.
const Patience = 30 * time.Second

// Eventually polls until ok returns true. It fails the test after Patience.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	eventuallyWithin(t, Patience, what, ok)
}

// eventuallyWithin is Eventually with another limit.
func eventuallyWithin(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	if !Poll(d, ok) {
		t.Fatalf("waited %v for %s", d, what)
	}
}

// Poll polls until ok returns true. It returns false after the limit.
func Poll(limit time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(2 * time.Millisecond)
	}
	return true
}

// Context returns a context that ends with the test, or after Patience.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Buffer is a bytes.Buffer that may be read while it is written.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
