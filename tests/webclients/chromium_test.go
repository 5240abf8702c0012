package webclients

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// browser starts Chromium. Without it the test is Missing.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := rig.Tool(t, "CHROMIUM", "chromium")
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
	})
	process, stop := chromedp.NewExecAllocator(rig.Context(t), options...)
	t.Cleanup(stop)
	tab, leave := chromedp.NewContext(process)
	t.Cleanup(leave)
	rig.Must(t, chromedp.Do(tab))
	t.Cleanup(func() { _ = chromedp.Cancel(tab) }) // waits for the process
	return tab
}

// pages serves the page, its modules and the schema, on an origin of its own.
func pages(t *testing.T, s *shapes) *httptest.Server {
	t.Helper()
	descriptors := s.descriptors(t)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("testdata/page")))
	mux.Handle("/node_modules/", http.FileServer(http.Dir(nodeFolder)))
	mux.HandleFunc("/descriptors", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, descriptors) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// visit opens the page and returns its lines.
func visit(t *testing.T, tab context.Context, page, api string) []string { //nolint:revive // chromedp's context is the tab
	t.Helper()
	lines := chromedp.Evaluate[string](`document.querySelector("#lines")?.textContent ?? ""`)
	rig.Must(t, chromedp.Do(tab, chromedp.Navigate(page+"/?api="+url.QueryEscape(api))))
	var text string
	done := rig.Poll(rig.Patience, func() bool {
		var err error
		text, err = chromedp.Run(tab, lines)
		rig.Must(t, err)
		return strings.HasSuffix(text, "done\n")
	})
	if !done {
		t.Fatalf("the page is not done; it has\n%s", text)
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// TestChromium makes calls of each shape from a page of another origin.
func TestChromium(t *testing.T) {
	t.Parallel()
	node(t) // for the modules
	tab := browser(t)
	var friend, stranger *httptest.Server
	var allowed string
	s := startShapes(t, func(config *dynserver.Config) {
		friend = httptest.NewUnstartedServer(nil)
		allowed = "http://" + friend.Listener.Addr().String()
		config.HTTP.CORS.Origins = []string{allowed}
	})
	stranger = pages(t, s)
	friend.Config.Handler = stranger.Config.Handler
	friend.Start()
	t.Cleanup(friend.Close)

	want := []string{
		"fetch GET: Hello, Ada!",
		"fetch POST: Hello, Ada!",
		"fetch error: 404, 5, no Ada, text",
		"fetch NDJSON: 1 2 3",
		"EventSource 3: 1 2 3 end",
		"EventSource 7: 1 2 3 4 5 error 11",
		"WebSocket Say: Hello, Ada! 1000",
		"WebSocket Fail: error 5 4005 no Ada",
		"WebSocket Count: 1 2 3 1000",
		"WebSocket Join: a+b 1000",
		"WebSocket Chat: re: a re: b 1000",
		"connect Say: Hello, Ada!",
		"connect Fail: 5, no Ada, 1 details",
		"connect Count: 1 2 3 4 5 11 only 5",
		"connect JSON Say: Hello, Ada!",
		"connect JSON Fail: 5, no Ada, 1 details",
		"connect JSON Count: 1 2 3 4 5 11 only 5",
		"grpcweb Say: Hello, Ada!",
		"grpcweb Fail: 5, no Ada, 1 details",
		"grpcweb Count: 1 2 3 4 5 11 only 5",
		"done",
	}
	if diff := cmp.Diff(want, visit(t, tab, friend.URL, s.URL)); diff != "" {
		t.Errorf("the page has: -want +got:\n%s", diff)
	}
	noted := []string{
		"connect Count 1>5 OutOfRange connect", "connect Count 1>5 OutOfRange connect JSON",
		"connect Fail 1>0 NotFound connect", "connect Fail 1>0 NotFound connect JSON",
		"connect Say 1>1 OK connect", "connect Say 1>1 OK connect JSON",
		"grpcweb Count 1>5 OutOfRange grpcweb", "grpcweb Fail 1>0 NotFound grpcweb", "grpcweb Say 1>1 OK grpcweb",
		"http Count 1>3 OK ", "http Count 1>3 OK ", "http Count 1>5 OutOfRange ",
		"http Fail 1>0 NotFound ", "http Say 1>1 OK ", "http Say 1>1 OK page",
		"websocket Chat 2>2 OK ", "websocket Count 1>3 OK ", "websocket Fail 1>0 NotFound ", "websocket Join 2>1 OK ", "websocket Say 1>1 OK ",
	}
	if diff := cmp.Diff(noted, s.noted(t, len(noted))); diff != "" {
		t.Errorf("the server noted: -want +got:\n%s", diff)
	}

	refused := slices.Clone(want)
	for i, line := range refused {
		name, _, _ := strings.Cut(line, ":")
		switch kind, call, _ := strings.Cut(name, " "); {
		case kind == "fetch":
			refused[i] = name + ": TypeError"
		case kind == "EventSource":
			refused[i] = name + ": no connection"
		case kind == "WebSocket":
			refused[i] = name + ": 1006"
		case strings.HasSuffix(call, "Say"):
			refused[i] = name + ": ConnectError"
		case strings.HasSuffix(call, "Fail"):
			refused[i] = name + ": 2, Failed to fetch, 0 details"
		case strings.HasSuffix(call, "Count"):
			refused[i] = name + ": 2 Failed to fetch"
		}
	}
	if diff := cmp.Diff(refused, visit(t, tab, stranger.URL, s.URL)); diff != "" {
		t.Errorf("a page of another origin has: -want +got:\n%s", diff)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		// Browsers send simple requests before they know whether the page may read the
		// answer.
		if !strings.HasPrefix(call, "http ") && !strings.HasPrefix(call, "connect Say") || strings.HasSuffix(call, "page") {
			t.Errorf("a page of another origin has called %s", call)
		}
	}
}
