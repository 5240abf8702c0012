package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/dyngate/dyngate/dynserver"
)

// signals are those that the process has been sent. They are taken from the
// start, for a SIGHUP that comes while the schemas are read must not end it.
type signals struct{ stop, reload chan os.Signal }

func newSignals() signals {
	s := signals{make(chan os.Signal, 1), make(chan os.Signal, 1)}
	signal.Notify(s.stop, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	return s
}

// close ends the goroutines that follow the signals.
func (s signals) close() {
	for _, c := range []chan os.Signal{s.stop, s.reload} {
		signal.Stop(c)
		close(c)
	}
}

// untilStop returns a context that ends at the first SIGINT or SIGTERM.
func (s signals) untilStop(ctx context.Context, log *slog.Logger) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends at the first signal, or at close
		defer cancel()
		if sig, ok := <-s.stop; ok {
			log.Info("draining; once more to stop at once", "signal", sig.String())
		}
	}()
	return ctx
}

// follow makes SIGHUP reload, and cuts the calls that still drain at the second
// signal to stop, which comes after ctx has ended.
func (s signals) follow(ctx context.Context, srv *dynserver.Server, log *slog.Logger) {
	go func() { // ends at the second signal, or at close
		<-ctx.Done()
		if _, ok := <-s.stop; ok {
			log.Warn("stopping at once")
			_ = srv.Shutdown(ctx)
		}
	}()
	go func() { // ends at close
		for range s.reload {
			switch r, err := srv.Reload(ctx); {
			case err != nil:
				log.Error("reload failed", "error", err)
			case !r.Applied && len(r.New) == 0:
				log.Info("nothing has changed", "stale", r.Stale)
			}
		}
	}()
}
