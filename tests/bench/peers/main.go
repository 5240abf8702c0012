// Peers is the servers that dyngate is compared with over HTTP. The benchmark runs it:
//
//	go run ./tests/bench --only http,connect
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/dyngate/dyngate/tests/bench/child"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	kind := flags.String("kind", "", "floor, gateway, vanguard or connect")
	profile := flags.String("profile", "", "write a CPU profile to `FILE`")
	if len(args) == 0 || args[0] != "serve" {
		return errors.New("usage: peers serve --kind=KIND")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	handler, err := newHandler(ctx, *kind)
	if err != nil {
		return err
	}
	return child.Serve(ctx, *profile, func(ctx context.Context, lis net.Listener) error {
		s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		defer context.AfterFunc(ctx, func() { _ = s.Close() })()
		if err := s.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

func newHandler(ctx context.Context, kind string) (http.Handler, error) {
	switch kind {
	case "floor":
		return floorHandler(), nil
	case "gateway":
		return gatewayHandler(ctx)
	case "vanguard":
		return vanguardHandler()
	case "connect":
		return connectHandler(), nil
	}
	return nil, fmt.Errorf("no such kind: %q", kind)
}
