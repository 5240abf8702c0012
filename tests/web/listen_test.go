package web

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

const (
	greet = "/tutorial.Greeter/SayHello"
	ada   = `{"name": "Ada"}`
	echo  = lab.Echo
)

// TestProtocols calls one method over each version of HTTP and each protocol.
func TestProtocols(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--http", "127.0.0.1:0")
	for version := range 2 {
		c := client(t, version+1, nil)
		wantAnswer(t, ask(t, c, http.MethodPost, p.URL()+greet, ada), 200, "Hello, Ada!")
		wantAnswer(t, ask(t, c, http.MethodPost, p.URL()+greet, ada, "Connect-Protocol-Version", "1"), 200, "Hello, Ada!")
		wantAnswer(t, ask(t, c, http.MethodPost, p.URL()+greet, "\x00\x00\x00\x00\x05\x0a\x03Ada", "Content-Type", "application/grpc-web+proto"), 200, "Hello, Ada!", "grpc-status: 0")
	}
	out, err := rig.Invoke(rig.Context(t), rig.Dial(t, strings.TrimPrefix(p.URL(), "http://")), greet, rig.Text(1, "Ada"))
	if err != nil || rig.TextOf(out, 1) != "Hello, Ada!" {
		t.Errorf("gRPC: %q, %v", out, err)
	}
}

// TestDefaultAddress takes the default address away from the HTTP port.
func TestDefaultAddress(t *testing.T) {
	t.Parallel()
	// Another process may have it: for a moment, or because it is left running.
	rig.Poll(5*time.Second, func() bool {
		taken, err := net.Listen("tcp", "127.0.0.1:8080")
		if err == nil {
			t.Cleanup(func() { _ = taken.Close() })
		}
		return err == nil
	})
	serve := func(args ...string) *rig.Process {
		p := rig.Start(t, append([]string{"serve"}, args...)...)
		p.AwaitStdout("Try: ")
		return p
	}
	p := serve("--grpc", "127.0.0.1:0")
	p.AwaitStderr("HTTP is not served: its default address is taken", "127.0.0.1:8080", "--http")
	if strings.Contains(p.Stdout.String(), "HTTP") || strings.Count(p.Stderr.String(), "HTTP") != 1 {
		t.Error("it says more than that")
	}
	if p := serve("--grpc", "127.0.0.1:0", "--http", ""); strings.Contains(p.Stderr.String()+p.Stdout.String(), "HTTP") {
		t.Error("it mentions HTTP")
	}
	for _, given := range []string{"127.0.0.1:8080", "8080", ":8080"} {
		r := rig.Run(t, "serve", "--grpc", "127.0.0.1:0", "--http", given)
		if r.Status != 1 {
			t.Errorf("--http %s: exit status %d", given, r.Status)
		}
		rig.WantText(t, r.Stderr, "8080", "address already in use", "choose another address with --http")
	}
	if r := rig.Run(t, "serve", "--grpc", ""); r.Status != 1 { // there is nothing else to serve on
		t.Errorf("without gRPC: exit status %d", r.Status)
	}
}

// TestWithoutGRPC serves HTTP alone.
func TestWithoutGRPC(t *testing.T) {
	t.Parallel()
	p := rig.Start(t, "serve", "--grpc", "", "--http", "127.0.0.1:0")
	p.AwaitStdout("Try: dyngate call http://")
	wantAnswer(t, ask(t, client(t, 1, nil), http.MethodPost, p.URL()+greet, ada), 200, "Hello, Ada!")
	if strings.Contains(p.Stdout.String(), "gRPC, with") {
		t.Error("it mentions a gRPC port")
	}
}

// TestUnixSocket serves HTTP on a Unix socket.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	p := rig.Serve(t, "--http", "unix:"+socket)
	if p.URL() != "unix://"+socket {
		t.Errorf("it says %s", p.URL())
	}
	rig.WantText(t, p.Stdout.String(), "curl --unix-socket "+socket+" http://localhost/")
	c := client(t, 1, nil)
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	wantAnswer(t, ask(t, c, http.MethodPost, "http://localhost"+greet, ada), 200, "Hello, Ada!")
}

// TestFlags gives flags that do not go together.
func TestFlags(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--http":                       {"--http", "127.0.0.1:0", "--http", ""},
		"--grpc and --http are both":   {"--grpc", "", "--http", ""},
		"--tls-cert and --tls-key":     {"--tls-cert", "x"},
		"--client-ca needs --tls-cert": {"--client-ca", "x"},
		"--max-http-requests":          {"--max-http-requests", "0"},
		"--http-body-timeout":          {"--http-body-timeout", "-1s"},
	} {
		r := rig.Run(t, append([]string{"serve"}, args...)...)
		if r.Status != 2 {
			t.Errorf("%v: exit status %d", args, r.Status)
		}
		rig.WantText(t, r.Stderr, want)
	}
	r := rig.Run(t, "serve", "--cors-origin", "example.com")
	if r.Status != 1 {
		t.Errorf("exit status %d", r.Status)
	}
	rig.WantText(t, r.Stderr, `origin "example.com"`, "scheme://host")
}

// TestHandler serves in another server, which is not stopped.
func TestHandler(t *testing.T) {
	t.Parallel()
	srv, err := rig.New(t, rig.Config(t, lab.Proto, lab.Register))
	rig.Must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", srv.HTTPHandler()))
	other := httptest.NewServer(mux)
	t.Cleanup(other.Close)
	c := client(t, 1, nil)
	wantAnswer(t, ask(t, c, http.MethodPost, other.URL+"/api"+echo, `{"text": "x"}`), 200, `"x"`)
	rig.Must(t, srv.Shutdown(t.Context()))
	wantAnswer(t, ask(t, c, http.MethodPost, other.URL+"/api"+echo, "{}"), 503, "the server is shutting down")
}

// TestCORS asks as pages of other origins do.
func TestCORS(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--cors-origin", "https://*.example.com")
	c := client(t, 1, nil)
	for origin, allowed := range map[string]bool{"https://app.example.com": true, "https://evil.com": false} {
		pre := ask(t, c, http.MethodOptions, p.URL()+greet, "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-tenant")
		got := ask(t, c, http.MethodPost, p.URL()+greet, ada, "Origin", origin)
		allow, code := origin, 200
		if !allowed {
			allow, code = "", 403
		}
		if pre.StatusCode != http.StatusNoContent || pre.Header.Get("Access-Control-Allow-Origin") != allow || strings.Contains(pre.Header.Get("Access-Control-Allow-Headers"), "x-tenant") != allowed {
			t.Errorf("%s: %s %v", origin, pre.Status, pre.Header)
		}
		if got.StatusCode != code || got.Header.Get("Access-Control-Allow-Origin") != allow || got.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %s %v", origin, got.Status, got.Header)
		}
	}
	off := lab.Start(t)
	pre := ask(t, c, http.MethodOptions, off.URL+echo, "", "Origin", "https://a.com", "Access-Control-Request-Method", "POST")
	if pre.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("allowed by default: %v", pre.Header)
	}
}

// TestHTTPOptions checks that New refuses origins that would allow too much.
func TestHTTPOptions(t *testing.T) {
	t.Parallel()
	config := rig.Config(t, lab.Proto, nil)
	config.HTTP.CORS = dynserver.CORSOptions{Origins: []string{"*"}, Credentials: true}
	if _, err := rig.New(t, config); err == nil || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("New: %v", err)
	}
}
