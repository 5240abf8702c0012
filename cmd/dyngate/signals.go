package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/internal/certs"
)

// signals receives the signals of the process. It is created first, because a
// SIGHUP during the first load must not kill the process.
type signals struct{ stop, reload chan os.Signal }

func newSignals() signals {
	s := signals{make(chan os.Signal, 1), make(chan os.Signal, 1)}
	signal.Notify(s.stop, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	return s
}

// close ends the goroutines that handle the signals.
func (s signals) close() {
	for _, c := range []chan os.Signal{s.stop, s.reload} {
		signal.Stop(c)
		close(c)
	}
}

// echoTime is how long after the first signal another one is ignored: timeout
// and terminals signal a process and then its group.
const echoTime = 500 * time.Millisecond

var errAgain = errors.New("a second signal to stop")

// untilStop returns a context that ends at the first SIGINT or SIGTERM, and one
// that ends at the second with the cause errAgain.
func (s signals) untilStop(ctx context.Context, log *slog.Logger) (first, second context.Context) {
	first, stop := context.WithCancel(ctx)
	second, cut := context.WithCancelCause(ctx)
	go func() { // ends at the second signal, or at close
		defer cut(nil)
		defer stop()
		sig, ok := <-s.stop
		if !ok {
			return
		}
		log.Info("draining; send the signal again to stop at once", "signal", sig.String())
		stop()
		began := time.Now()
		for range s.stop {
			if time.Since(began) >= echoTime {
				cut(errAgain)
				return
			}
		}
	}()
	return first, second
}

// follow reloads at SIGHUP until ctx ends, and cancels the remaining calls when
// second ends. There may be no certificates.
func (s signals) follow(ctx, second context.Context, srv *dynserver.Server, certificates *certs.Store, log *slog.Logger) {
	context.AfterFunc(second, func() {
		if context.Cause(second) == errAgain {
			log.Warn("stopping at once")
			_ = srv.Shutdown(second)
		}
	})
	go func() { // ends at close
		for range s.reload {
			if certificates != nil {
				_ = certificates.Reload() // which logs its error
			}
			switch r, err := srv.Reload(ctx); {
			case err != nil:
				log.Error("reload failed", "error", err)
			case !r.Applied && len(r.New) == 0 && len(r.Fixed) == 0:
				log.Info("nothing changed", "stale", r.Stale)
			}
		}
	}()
}
