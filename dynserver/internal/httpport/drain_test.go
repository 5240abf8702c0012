package httpport

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestDrain stops a port with a request in progress in each protocol, and one in
// another server.
func TestDrain(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	p := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-end
		hello(w, r)
	})
	other := httptest.NewServer(p.Handler())
	t.Cleanup(other.Close)
	answers := make(chan string)
	ask := func(c *http.Client, url string) { // ends with the answer
		res, err := c.Get(url)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		answers <- fmt.Sprint(string(text), err)
	}
	all := clients(t)
	go ask(all["h1"], p.url())
	go ask(all["h2c"], p.url())
	go ask(other.Client(), other.URL)
	for range 3 {
		<-began
	}
	stopped := make(chan struct{})
	go func() { // ends with the requests
		defer close(stopped)
		p.GracefulStop()
	}()
	must(t, <-p.served)
	p.served <- nil
	res, err := other.Client().Get(other.URL)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("another server accepts a request: %s", res.Status)
	}
	select {
	case <-stopped:
		t.Error("it does not wait for requests")
	default:
	}
	close(end)
	for range 3 {
		if text := <-answers; text != "hello over HTTP/1.1<nil>" && text != "hello over HTTP/2.0<nil>" {
			t.Error(text)
		}
	}
	<-stopped
}

// TestCut stops a port at once. A handler that waits for its context, and one that
// reads, can still answer.
func TestCut(t *testing.T) {
	began := make(chan struct{})
	p := start(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		if r.Method == http.MethodPost {
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, err)
			return
		}
		<-r.Context().Done()
		fmt.Fprint(w, context.Cause(r.Context()))
	})
	other := httptest.NewServer(p.Handler())
	t.Cleanup(other.Close)
	answers := make(chan string)
	ask := func(c *http.Client, method, url string) { // ends with the answer
		in, out := io.Pipe()
		defer out.Close()
		req, err := http.NewRequest(method, url, in)
		if method == http.MethodGet {
			req, err = http.NewRequest(method, url, nil)
		}
		must(t, err)
		res, err := c.Do(req)
		if err != nil {
			answers <- method + err.Error()
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		answers <- fmt.Sprint(string(text), err)
	}
	n := 0
	for _, c := range append([]*http.Client{other.Client()}, clients(t)["h1"], clients(t)["h2c"]) {
		url := p.url()
		if n == 0 {
			url = other.URL
		}
		go ask(c, http.MethodGet, url)
		go ask(c, http.MethodPost, url)
		n += 2
	}
	for range n {
		<-began
	}
	p.Stop()
	for range n {
		if text := <-answers; text != errCut.Error()+"<nil>" {
			t.Error(text)
		}
	}
}

// TestHijacked takes a connection over, which a drain waits for and Stop closes.
func TestHijacked(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	p := start(t, Options{MaxConnections: 1}, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		must(t, err)
		defer conn.Close()
		close(began)
		for err == nil {
			var line string
			line, err = rw.ReadString('\n')
			_, _ = rw.WriteString(line)
			_ = rw.Flush()
		}
		ended <- err
	})
	c := p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	ends(t, p.dial(t, "")) // a hijacked connection still counts
	drained := make(chan struct{})
	go func() { // ends with the handler
		defer close(drained)
		p.GracefulStop()
	}()
	must(t, <-p.served)
	p.served <- nil
	_, err := io.WriteString(c, "still\n")
	must(t, err)
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "still\n" {
		t.Fatal(line, err)
	}
	select {
	case <-drained:
		t.Error("the drain does not wait")
	default:
	}
	p.Stop()
	<-ended
	<-drained
}

// TestHijackedTLS takes over connections of a listener that has TLS of its own. Nothing
// tells when they are closed, so they must not count.
func TestHijackedTLS(t *testing.T) {
	given := httptest.NewUnstartedServer(nil)
	given.StartTLS() // for its certificate
	t.Cleanup(given.Close)
	p := start(t, Options{MaxConnections: 1}, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		must(t, err)
		_ = conn.Close()
	})
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- p.Serve(tls.NewListener(lis, given.TLS)) }() // ends with Stop
	defer func() {
		p.Stop()
		must(t, <-served)
	}()
	config := given.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	for range 3 {
		c, err := tls.Dial("tcp", lis.Addr().String(), config)
		must(t, err)
		must(t, c.SetDeadline(time.Now().Add(patience)))
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		_, err = io.ReadAll(c)
		must(t, err)
		_ = c.Close()
	}
}

// TestStopUnserved stops a port that never served, in both orders.
func TestStopUnserved(t *testing.T) {
	for range 2 {
		s, err := New(Options{Handler: http.NotFoundHandler()})
		must(t, err)
		s.GracefulStop()
		s.Stop()
		s.GracefulStop()
	}
}
