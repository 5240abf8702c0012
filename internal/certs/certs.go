// Package certs serves TLS with certificate files that may be replaced at any time.
package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dyngate/dyngate/internal/watch"
)

// Files are the names of PEM files.
type Files struct {
	Cert string // the server's certificate, followed by those between it and the root
	Key  string // its private key

	// ClientCA holds the certificates that sign those of clients. If it is set, each
	// client must have a certificate.
	ClientCA string
}

// Store holds what the files contained when all of them were last good. Its methods
// are safe for concurrent use.
type Store struct {
	files Files
	log   *slog.Logger

	current atomic.Pointer[content]

	mu     sync.Mutex
	failed string // the error of the last Reload
}

// content is what the files contain.
type content struct {
	pem     [3][]byte
	cert    tls.Certificate
	clients *x509.CertPool // nil if clients need no certificate
	configs sync.Map       // *tls.Config by *template
}

// Load reads the files.
func Load(files Files, log *slog.Logger) (*Store, error) {
	s := &Store{files: files, log: log}
	c, err := s.read()
	if err != nil {
		return nil, err
	}
	s.adopt(c)
	return s, nil
}

// read reads the files.
func (s *Store) read() (*content, error) {
	c := new(content)
	for i, name := range []string{s.files.Cert, s.files.Key, s.files.ClientCA} {
		if name == "" {
			continue
		}
		var err error
		if c.pem[i], err = os.ReadFile(name); err != nil { //nolint:gosec // the user names it
			return nil, err
		}
	}
	var err error
	if c.cert, err = tls.X509KeyPair(c.pem[0], c.pem[1]); err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", s.files.Cert, s.files.Key, err)
	}
	if s.files.ClientCA == "" {
		return c, nil
	}
	c.clients = x509.NewCertPool()
	if !c.clients.AppendCertsFromPEM(c.pem[2]) {
		return nil, fmt.Errorf("%s has no PEM certificate", s.files.ClientCA)
	}
	return c, nil
}

// adopt makes c current, and warns if the certificate is not valid now, or not for
// long.
func (s *Store) adopt(c *content) {
	s.current.Store(c)
	leaf, now := c.cert.Leaf, time.Now()
	left, lifetime := leaf.NotAfter.Sub(now), leaf.NotAfter.Sub(leaf.NotBefore)
	switch {
	case left <= 0:
		s.log.Warn("the certificate has expired", "file", s.files.Cert, "expired", leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		s.log.Warn("the certificate is not valid yet", "file", s.files.Cert, "valid_from", leaf.NotBefore)
	case left < lifetime/10:
		s.log.Warn("the certificate expires soon", "file", s.files.Cert, "expires", leaf.NotAfter)
	}
}

// Reload reads the files again. If one is missing or broken, or the key does not belong
// to the certificate, the store keeps what it has, and logs the error once.
func (s *Store) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.read()
	if err != nil {
		if err.Error() != s.failed {
			s.log.Error("the certificates cannot be used; the last good ones stay in use", "error", err)
		}
		s.failed = err.Error()
		return err
	}
	if s.failed != "" || !slices.EqualFunc(c.pem[:], s.current.Load().pem[:], bytes.Equal) {
		s.adopt(c)
		s.log.Info("certificates replaced", "file", s.files.Cert, "expires", c.cert.Leaf.NotAfter)
	}
	s.failed = ""
	return nil
}

// retryAfter is how long after a failure the files are read again even if they do not
// seem to have changed.
const retryAfter = 10 * time.Second

// Watch reloads when the files change, until ctx ends. It polls at the interval poll,
// or if that is zero it relies on notifications where they work.
func (s *Store) Watch(ctx context.Context, poll time.Duration) {
	again := watch.NewBell()
	retry := time.AfterFunc(retryAfter, again.Ring)
	defer retry.Stop()
	watch.Run(ctx, watch.Options{
		Roots:   func() []watch.Root { return s.files.roots() },
		Signals: []watch.Signal{again},
		Poll:    poll,
		Log:     s.log,
	}, func(context.Context) {
		if retry.Stop(); s.Reload() != nil {
			retry.Reset(retryAfter)
		}
	})
}

func (f Files) roots() (roots []watch.Root) {
	for _, name := range []string{f.Cert, f.Key, f.ClientCA} {
		if name != "" {
			roots = append(roots, watch.Root{Path: name})
		}
	}
	return roots
}

// Config returns a configuration for servers, for TLS 1.2 and later, with the protocols
// that ALPN offers. Each handshake uses the files as they are then.
func (s *Store) Config(protocols ...string) *tls.Config {
	t := &template{protocols}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current.Load().config(t), nil
		},
	}
}

// template is what the configurations of one call of Config have in common.
type template struct{ protocols []string }

// config returns the configuration of a handshake. There is one for all handshakes with
// the same content, as tls keeps what it has computed.
func (c *content) config(t *template) *tls.Config {
	if known, ok := c.configs.Load(t); ok {
		return known.(*tls.Config)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: t.protocols, Certificates: []tls.Certificate{c.cert}}
	if c.clients != nil {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, c.clients
	}
	known, _ := c.configs.LoadOrStore(t, config)
	return known.(*tls.Config)
}
