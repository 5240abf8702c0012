package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// pair is the names of the files of a server's certificate and key.
type pair struct{ dir, cert, key string }

// newPair writes a certificate and its key.
func newPair(t testing.TB, a *rig.Authority, name string) pair {
	t.Helper()
	dir := t.TempDir()
	p := pair{dir, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	cert, key := a.Issue(t, name)
	rig.Write(t, p.cert, cert)
	rig.Write(t, p.key, key)
	return p
}

// start serves on both ports, without the check of health that rig.Serve makes.
func start(t testing.TB, args ...string) *rig.Process {
	t.Helper()
	p := rig.Start(t, append([]string{"serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"}, args...)...)
	p.AwaitAddrs(rig.Patience)
	return p
}

// greetOverGRPC makes a call on the gRPC port, on a connection of its own.
func greetOverGRPC(t testing.TB, p *rig.Process, config *tls.Config) error {
	t.Helper()
	conn := rig.Dial(t, p.Addr(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
	defer conn.Close()
	_, err := rig.Invoke(rig.Context(t), conn, greet, rig.Text(1, "Ada"))
	return err
}

// served returns the common name of the certificate that a port serves.
func served(t testing.TB, addr string, config *tls.Config) string {
	t.Helper()
	conn, err := (&tls.Dialer{Config: config}).DialContext(rig.Context(t), "tcp", addr)
	rig.Must(t, err)
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
}

// TestTLS serves TLS on both ports.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	files := newPair(t, ca, "one")
	p := start(t, "--tls-cert", files.cert, "--tls-key", files.key)
	if !strings.HasPrefix(p.URL(), "https://127.0.0.1:") {
		t.Errorf("URL: %s", p.URL())
	}
	rig.WantText(t, p.Stdout.String(), "curl --cacert "+files.cert+" https://", " --ca "+files.cert+" ")
	config := ca.Client(t, nil)
	for version := range 2 {
		got := ask(t, client(t, version+1, config.Clone()), http.MethodPost, p.URL()+greet, ada)
		wantAnswer(t, got, 200, "Hello, Ada!")
		if got.ProtoMajor != version+1 {
			t.Errorf("ALPN: %s", got.Proto)
		}
	}
	rig.Must(t, greetOverGRPC(t, p, config.Clone()))
	for _, addr := range []string{p.Addr(), strings.TrimPrefix(p.URL(), "https://")} {
		old := config.Clone()
		old.MaxVersion = tls.VersionTLS11
		if conn, err := (&tls.Dialer{Config: old}).DialContext(rig.Context(t), "tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("%s accepts TLS 1.1", addr)
		}
		old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		if got := served(t, addr, old); got != "one" {
			t.Errorf("%s over TLS 1.2: %s", addr, got)
		}
	}
	r := rig.Run(t, "call", p.Addr(), "--ca", files.cert, "tutorial.Greeter/SayHello", "-d", ada) // as it is printed
	if rig.WantText(t, r.Stdout, "Hello, Ada!"); r.Status != 0 {
		t.Errorf("exit status %d: %s", r.Status, r.Stderr)
	}
}

// TestClientCertificates serves only clients with a certificate.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ca, clients, others := rig.NewAuthority(t, "ca"), rig.NewAuthority(t, "clients"), rig.NewAuthority(t, "others")
	files := newPair(t, ca, "one")
	clientCA := filepath.Join(files.dir, "clients.crt")
	rig.Write(t, clientCA, clients.PEM)
	p := start(t, "--tls-cert", files.cert, "--tls-key", files.key, "--client-ca", clientCA)
	check := func(signer *rig.Authority, want bool) {
		t.Helper()
		config := ca.Client(t, signer)
		_, err := try(t, client(t, 2, config.Clone()), http.MethodPost, p.URL()+greet, ada)
		if (err == nil) != want {
			t.Errorf("HTTP: %v, want %t", err, want)
		}
		if err := greetOverGRPC(t, p, config.Clone()); (err == nil) != want {
			t.Errorf("gRPC: %v, want %t", err, want)
		}
	}
	check(nil, false)
	check(others, false)
	check(clients, true)

	resuming := ca.Client(t, clients)
	resuming.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	once := func() error {
		_, err := try(t, client(t, 1, resuming.Clone()), http.MethodPost, p.URL()+greet, ada)
		return err
	}
	rig.Must(t, once())
	rig.Replace(t, clientCA, others.PEM)
	p.AwaitStderr("certificates replaced")
	check(clients, false)
	check(others, true)
	if once() == nil {
		t.Error("a session of a client is resumed whose authority has been removed")
	}
}

// TestRotation replaces certificates while calls are made on new connections, and none
// fails.
func TestRotation(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	files := newPair(t, ca, "one")
	p := start(t, "--tls-cert", files.cert, "--tls-key", files.key)
	config := ca.Client(t, nil)
	web := strings.TrimPrefix(p.URL(), "https://")

	ctx, cancel := context.WithCancel(t.Context())
	var calls, failed atomic.Int64
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		for ctx.Err() == nil {
			c := client(t, 1, config.Clone())
			c.Transport.(*http.Transport).DisableKeepAlives = true
			if _, err := try(t, c, http.MethodPost, p.URL()+greet, ada); err != nil {
				failed.Add(1)
				t.Error(err)
			}
			calls.Add(1)
		}
	}()
	use := func(name string) {
		t.Helper()
		cert, key := ca.Issue(t, name)
		rig.Replace(t, files.cert, cert)
		rig.Replace(t, files.key, key)
		for _, addr := range []string{p.Addr(), web} {
			rig.Eventually(t, name, func() bool { return served(t, addr, config.Clone()) == name })
		}
	}
	use("two")
	before := calls.Load()
	rig.Eventually(t, "calls", func() bool { return calls.Load() > before+5 })

	cert, key := ca.Issue(t, "three")
	rig.Replace(t, files.cert, cert) // its key is missing
	p.AwaitStderr("the certificates cannot be used; the last good ones stay in use", "private key does not match")
	if got := served(t, web, config.Clone()); got != "two" {
		t.Errorf("after half a change: %s", got)
	}
	rig.Replace(t, files.key, key)
	rig.Eventually(t, "three", func() bool { return served(t, web, config.Clone()) == "three" })
	rig.Must(t, os.Remove(files.key))
	p.AwaitStderr("no such file")
	use("four")
	cancel()
	<-ended
	t.Logf("%d calls", calls.Load())
}

// TestRotationByLink swaps a link, as Kubernetes does.
func TestRotationByLink(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	dir := t.TempDir()
	release := func(name string) {
		cert, key := ca.Issue(t, name)
		rig.Write(t, filepath.Join(dir, name, "tls.crt"), cert)
		rig.Write(t, filepath.Join(dir, name, "tls.key"), key)
		rig.Must(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")))
		rig.Must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	release("..one")
	for _, name := range []string{"tls.crt", "tls.key"} {
		rig.Must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
	}
	p := start(t, "--tls-cert", filepath.Join(dir, "tls.crt"), "--tls-key", filepath.Join(dir, "tls.key"))
	release("..two")
	config := ca.Client(t, nil)
	rig.Eventually(t, "two", func() bool { return served(t, p.Addr(), config.Clone()) == "..two" })
	if log := p.Stderr.String(); strings.Contains(log, "cannot be used") {
		t.Error(log)
	}
}

// TestNoWatch reads certificates again at SIGHUP only.
func TestNoWatch(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	files := newPair(t, ca, "one")
	p := start(t, "--no-watch", "--tls-cert", files.cert, "--tls-key", files.key)
	cert, key := ca.Issue(t, "two")
	rig.Replace(t, files.cert, cert)
	rig.Replace(t, files.key, key)
	p.Signal(syscall.SIGHUP)
	p.AwaitStderr("certificates replaced")
	if got := served(t, p.Addr(), ca.Client(t, nil)); got != "two" {
		t.Error(got)
	}
}

// TestBadCertificates starts with files that cannot be used.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	one, two := newPair(t, ca, "one"), newPair(t, ca, "two")
	for want, args := range map[string][]string{
		"private key does not match": {"--tls-cert", one.cert, "--tls-key", two.key},
		"no such file":               {"--tls-cert", one.cert, "--tls-key", one.key + "x"},
		"has no PEM certificate":     {"--tls-cert", one.cert, "--tls-key", one.key, "--client-ca", one.key},
	} {
		r := rig.Run(t, append([]string{"serve", "--grpc", "127.0.0.1:0", "--http", ""}, args...)...)
		if r.Status != 1 {
			t.Errorf("%s: exit status %d", want, r.Status)
		}
		rig.WantText(t, r.Stderr, want, "--tls-cert")
	}
}

// TestTLSListener serves on listeners whose connections are TLS already, and with a
// configuration for all.
func TestTLSListener(t *testing.T) {
	t.Parallel()
	ca := rig.NewAuthority(t, "ca")
	cert, key := ca.Issue(t, "one")
	own, err := tls.X509KeyPair([]byte(cert), []byte(key))
	rig.Must(t, err)
	config := rig.Config(t, lab.Proto, lab.Register)
	config.HTTP.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	s := rig.Local(t, config)
	for version := range 2 {
		wantAnswer(t, ask(t, client(t, version+1, ca.Client(t, nil)), http.MethodPost, s.URL+echo, `{"text": "x"}`), 200, `"x"`)
	}
}
