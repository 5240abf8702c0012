package main

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSecondSignalIsAnother sends signals at several times: one that follows the
// first at once is the same.
func TestSecondSignalIsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signals{stop: make(chan os.Signal, 1)}
		first, second := s.untilStop(t.Context(), slog.New(slog.DiscardHandler))
		s.stop <- syscall.SIGTERM
		<-first.Done()
		for _, wait := range []time.Duration{0, 100 * time.Millisecond, 399 * time.Millisecond} {
			time.Sleep(wait)
			s.stop <- syscall.SIGTERM
			synctest.Wait()
			if second.Err() != nil {
				t.Fatal("a signal that came too soon counts")
			}
		}
		time.Sleep(time.Millisecond)
		s.stop <- os.Interrupt
		<-second.Done()
		if context.Cause(second) != errAgain {
			t.Errorf("the cause is %v", context.Cause(second))
		}
	})
}

// TestSignalsClose ends what waits for signals that never come.
func TestSignalsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for sent := range 2 {
			s := signals{stop: make(chan os.Signal, 1)}
			first, second := s.untilStop(t.Context(), slog.New(slog.DiscardHandler))
			if sent > 0 {
				s.stop <- syscall.SIGTERM
			}
			synctest.Wait()
			close(s.stop)
			<-first.Done()
			<-second.Done()
			if context.Cause(second) == errAgain {
				t.Error("the end is taken for a signal")
			}
		}
	})
}
