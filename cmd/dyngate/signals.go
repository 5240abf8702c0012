package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/dyngate/dyngate/dynserver"
)

// followSignals returns a context that ends at the first SIGINT or SIGTERM. A
// second one cuts the calls that still drain. SIGHUP reloads. stop ends both
// goroutines that listen to them.
func followSignals(ctx context.Context, srv *dynserver.Server, log *slog.Logger) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	stops, reloads := notify(os.Interrupt, syscall.SIGTERM), notify(syscall.SIGHUP)
	go func() {
		first := true
		for sig := range stops {
			if first {
				first = false
				log.Info("draining; once more to stop at once", "signal", sig.String())
				cancel()
				continue
			}
			log.Warn("stopping at once")
			_ = srv.Shutdown(ctx) // ctx has ended: cuts
		}
	}()
	go func() {
		for range reloads {
			if _, err := srv.Reload(ctx); err != nil {
				log.Error("reload failed", "error", err)
			}
		}
	}()
	return ctx, func() {
		for _, c := range []chan os.Signal{stops, reloads} {
			signal.Stop(c)
			close(c)
		}
		cancel()
	}
}

func notify(signals ...os.Signal) chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, signals...)
	return c
}
