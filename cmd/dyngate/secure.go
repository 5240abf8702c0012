package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc/credentials"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/internal/certs"
)

// secure configures TLS for both ports, if flags ask for it. It returns the
// certificates, or nil.
func (f *serveFlags) secure(config *dynserver.Config, log *slog.Logger) (*certs.Store, error) {
	if f.tls.Cert == "" {
		return nil, nil //nolint:nilnil // there are none
	}
	store, err := certs.Load(f.tls, log)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key, --client-ca: %w", err)
	}
	config.GRPC.Credentials = credentials.NewTLS(store.Config("h2"))
	config.HTTP.TLS = store.Config("h2", "http/1.1")
	return store, nil
}

// follow reads the certificates again when their files change, until ctx ends and the
// result is called.
func (f *serveFlags) follow(ctx context.Context, store *certs.Store) (wait func()) {
	if store == nil || f.noWatch {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { // ends with ctx
		defer close(done)
		store.Watch(ctx, f.poll)
	}()
	return func() {
		cancel()
		<-done
	}
}

// checkTLS reports flags of TLS that do not go together.
func (f *serveFlags) checkTLS() error {
	switch {
	case (f.tls.Cert == "") != (f.tls.Key == ""):
		return errors.New("--tls-cert and --tls-key must be given together")
	case f.tls.ClientCA != "" && f.tls.Cert == "":
		return errors.New("--client-ca needs --tls-cert and --tls-key")
	}
	return nil
}
