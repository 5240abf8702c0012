package pages

import (
	"compress/gzip"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/dynserver/internal/load"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCurrent returns a generation of the services in a file system.
func newCurrent(t testing.TB, fsys fs.FS, impl handlers.Implementation) *dispatch.Current {
	t.Helper()
	reg := handlers.NewRegistry()
	if impl != nil {
		reg.Handle("**", impl)
	}
	loader := load.New(load.Options{
		Schema: schema.Options{Sources: []schema.Source{schema.FS("test", fsys)}}, Providers: []handlers.Provider{reg}, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(loader.Release)
	g, diags, err := loader.Load(t.Context(), nil, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diags {
		if d.Severity == diag.Error {
			t.Fatal(d.Text)
		}
	}
	current := new(dispatch.Current)
	current.Swap(g)
	t.Cleanup(current.Close)
	return current
}

func files(text string) fstest.MapFS {
	return fstest.MapFS{"test.proto": &fstest.MapFile{Data: []byte(text)}}
}

const greeter = `syntax = "proto3";
package test;
import "google/api/annotations.proto";
// <script>alert("service")</script> greets.
service Greeter {
  // Greets & <b>smiles</b>.
  rpc Greet(Name) returns (Name) { option (google.api.http) = { get: "/v1/greet/{name}" additional_bindings { post: "/v1/greet" body: "*" } }; }
  rpc Watch(stream Name) returns (stream Name) { option deprecated = true; }
}
message Name { string name = 1; }
`

func get(t *testing.T, h http.Handler, verb, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), verb, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDocuments(t *testing.T) {
	p := New(newCurrent(t, files(greeter), nil), openapi.Options{})
	for path, want := range map[string][2]string{
		"/openapi.json": {"application/json", `"/v1/greet/{name}": {`},
		"/openapi.yaml": {"application/yaml", `"/v1/greet/{name}":` + "\n"},
		"/":             {"text/html; charset=utf-8", `/v1/greet/{name}</code>`},
	} {
		t.Run(path, func(t *testing.T) {
			if !p.Serves(path) {
				t.Error("it is not served")
			}
			plain := get(t, p, "GET", path)
			body := text(t, plain.Body)
			if got := plain.Header().Get("Content-Type"); plain.Code != http.StatusOK || got != want[0] || !strings.Contains(body, want[1]) {
				t.Errorf("got %d %s %s", plain.Code, got, body)
			}
			zipped := get(t, p, "GET", path, "Accept-Encoding", "br, gzip;q=0.5")
			unzip, err := gzip.NewReader(zipped.Body)
			if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
				t.Fatal(err, zipped.Header())
			}
			if text(t, unzip) != body {
				t.Error("the compressed page is another one")
			}
			head := get(t, p, "HEAD", path)
			if got := head.Header().Get("Content-Length"); got != strconv.Itoa(len(body)) || text(t, head.Body) != "" {
				t.Errorf("HEAD: %s bytes", got)
			}
			checkConditional(t, p, path, plain.Header().Get("ETag"))
		})
	}
}

func checkConditional(t *testing.T, p *Pages, path, etag string) {
	t.Helper()
	for value, want := range map[string]int{
		etag: 304, strings.TrimPrefix(etag, "W/"): 304, "*": 304, `"other", ` + etag: 304, `"other"`: 200, "": 200,
	} {
		if got := get(t, p, "GET", path, "If-None-Match", value); got.Code != want || got.Header().Get("ETag") != etag {
			t.Errorf("If-None-Match %s: %d, ETag %s, want %d", value, got.Code, got.Header().Get("ETag"), want)
		}
	}
}

// TestReload serves the documents of the current generation.
func TestReload(t *testing.T) {
	current := newCurrent(t, files(greeter), nil)
	p := New(current, openapi.Options{})
	before := get(t, p, "GET", "/openapi.json").Header().Get("ETag")
	later := newCurrent(t, files(strings.ReplaceAll(greeter, "/v1/", "/v2/")), nil)
	g := later.Pin()
	t.Cleanup(g.Unpin)
	current.Swap(g)
	after := get(t, p, "GET", "/openapi.json", "If-None-Match", before)
	if body := text(t, after.Body); after.Code != http.StatusOK || !strings.Contains(body, "/v2/greet") || strings.Contains(body, "/v1/greet") {
		t.Errorf("got %d %s", after.Code, body)
	}
}

// TestIndex checks that what a schema says is text, and that nothing else may run.
func TestIndex(t *testing.T) {
	p := New(newCurrent(t, files(greeter), nil), openapi.Options{})
	page := get(t, p, "GET", "/")
	body := text(t, page.Body)
	for _, want := range []string{
		"<h1>1 service</h1>", "&lt;script&gt;alert(", "Greets &amp; &lt;b&gt;smiles&lt;/b&gt;.", `<span class="verb">GET</span> /v1/greet/{name}`,
		`<span class="verb">POST</span> /v1/greet<`, `<span class="verb">POST</span> /test.Greeter/Watch`, "streams requests, streams responses",
		"(no handler)", "(deprecated)", "Put the address of this server before the path:", "<pre>curl -d &#39;{}&#39; /test.Greeter/Greet</pre>", `href="/openapi.json"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "<b>") {
		t.Error("a comment is markup")
	}
	policy := page.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || page.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the headers are %v", page.Header())
	}
	if !strings.Contains(body, "<style>"+style+"</style>") {
		t.Error("the style is not the one that the policy allows")
	}
	if t.Failed() {
		t.Log(body)
	}
}

func TestRefused(t *testing.T) {
	current := newCurrent(t, files(greeter), nil)
	for name, test := range map[string]struct {
		verb, path string
		want       int
	}{
		"post":    {"POST", "/openapi.json", 405},
		"unknown": {"GET", "/openapi.xml", 404},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(current, openapi.Options{})
			if got := get(t, p, test.verb, test.path).Code; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
