package httpport

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestOrigins(t *testing.T) {
	s, err := New(Options{CORS: CORS{Origins: []string{"https://app.example.com", "https://*.Sub.example.com:443", "http://localhost:3000", "null"}}})
	must(t, err)
	for origin, want := range map[string]bool{
		"https://app.example.com": true, "http://app.example.com": false, "https://app.example.com:8443": false,
		"https://app.example.com.evil.com": false, "https://xapp.example.com": false,
		"https://a.sub.example.com": true, "https://a.b.sub.example.com": true, "https://sub.example.com": false,
		"https://.sub.example.com": false, "https://a.sub.example.com:8443": false, "https://evil.com/.sub.example.com": false,
		"http://localhost:3000": true, "http://localhost": false, "null": true, "": false,
	} {
		if got := s.origins.allows(origin); got != want {
			t.Errorf("%q: %t, want %t", origin, got, want)
		}
	}
	for _, wrong := range []string{"", "app.example.com", "https://", "https://a.com/", "https://*", "https://a.*.com", "https://**.com", "https://u@a.com", "*.a.com", "https://a.com?x", "https://*.*.com"} {
		if _, err := New(Options{CORS: CORS{Origins: []string{wrong}}}); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
	if _, err := New(Options{CORS: CORS{Origins: []string{"*"}, Credentials: true}}); err == nil {
		t.Error("any origin is accepted together with credentials")
	}
}

// preflight sends a preflight for PUT with two headers.
func preflight(s *Server, origin string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodOptions, "/", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", "LIST")
	r.Header.Set("Access-Control-Request-Headers", "content-type,x-tenant,bad header")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestPreflight(t *testing.T) {
	s, err := New(Options{CORS: CORS{Origins: []string{"https://a.com"}, Credentials: true}, Handler: http.NotFoundHandler()})
	must(t, err)
	got := preflight(s, "https://a.com")
	h := got.Header()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://a.com", "Access-Control-Allow-Credentials": "true", "Access-Control-Max-Age": "7200",
		"Access-Control-Allow-Methods": "GET, POST, HEAD, PUT, PATCH, DELETE, LIST",
		"Access-Control-Allow-Headers": strings.Join(allowHeaders, ", ") + ", x-tenant",
	} {
		if h.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, h.Get(name), want)
		}
	}
	if vary := strings.Join(h.Values("Vary"), ", "); got.Code != http.StatusNoContent || vary != "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" {
		t.Errorf("%d, Vary: %s", got.Code, vary)
	}
	got = preflight(s, "https://b.com")
	if got.Code != http.StatusNoContent || len(got.Header()) != 1 || got.Header().Get("Vary") != "Origin" {
		t.Errorf("another origin: %d %v", got.Code, got.Header())
	}
	s, err = New(Options{CORS: CORS{MaxAge: -1, Origins: []string{"*"}}})
	must(t, err)
	h = preflight(s, "https://b.com").Header()
	if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Max-Age") != "0" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("any origin: %v", h)
	}
}

// TestCrossOrigin makes requests from pages.
func TestCrossOrigin(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Mine", "1")
		w.Header().Set("Trailer-X", "2")
		w.Header().Set("Set-Cookie", "a=b")
	})
	s, err := New(Options{CORS: CORS{Origins: []string{"https://a.com"}}, Handler: handler})
	must(t, err)
	for name, test := range map[string]struct {
		method string
		header http.Header
		code   int
		allow  string
	}{
		"no page":            {http.MethodPost, nil, 200, ""},
		"allowed":            {http.MethodPost, http.Header{"Origin": {"https://a.com"}, "Sec-Fetch-Site": {"cross-site"}}, 200, "https://a.com"},
		"not allowed":        {http.MethodPost, http.Header{"Origin": {"https://b.com"}, "Sec-Fetch-Site": {"cross-site"}}, 403, ""},
		"not allowed, old":   {http.MethodPost, http.Header{"Origin": {"https://b.com"}}, 403, ""},
		"not allowed, bare":  {http.MethodPost, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, ""},
		"a GET":              {http.MethodGet, http.Header{"Origin": {"https://b.com"}}, 200, ""},
		"own page":           {http.MethodPost, http.Header{"Origin": {"http://example.com"}}, 200, ""},
		"own, behind proxy":  {http.MethodPost, http.Header{"Origin": {"https://public.com"}, "Sec-Fetch-Site": {"same-origin"}}, 200, ""},
		"OPTIONS by the way": {http.MethodOptions, http.Header{"Origin": {"https://a.com"}}, 200, "https://a.com"},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		for k, v := range test.header {
			r.Header[k] = v
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		h := w.Result().Header
		if w.Code != test.code || h.Get("Access-Control-Allow-Origin") != test.allow || h.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
		if strings.Contains(w.Body.String(), `\"\"`) {
			t.Errorf("%s: an origin without a name: %s", name, w.Body)
		}
		want := ""
		if test.allow != "" {
			want = "Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin, Trailer-X, X-Mine"
		}
		if got := h.Get("Access-Control-Expose-Headers"); got != want {
			t.Errorf("%s: exposes %q, want %q", name, got, want)
		}
	}
}

// TestExposeNothing exposes no header but those that always are. Answers share their list.
func TestExposeNothing(t *testing.T) {
	before := slices.Clone(exposeHeaders)
	x := &exchange{ResponseWriter: httptest.NewRecorder()}
	x.expose()
	if got := x.Header().Get("Access-Control-Expose-Headers"); got != "Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin" {
		t.Errorf("exposes %q", got)
	}
	if !slices.Equal(exposeHeaders, before) {
		t.Error("an answer has changed the list of all answers")
	}
}

// TestAllowsOrigin is about WebSockets, which begin with GET.
func TestAllowsOrigin(t *testing.T) {
	s, err := New(Options{CORS: CORS{Origins: []string{"https://a.com"}}})
	must(t, err)
	for name, test := range map[string]struct {
		header http.Header
		want   bool
	}{
		"no page": {nil, true},
		"allowed": {http.Header{"Origin": {"https://a.com"}}, true},
		"other":   {http.Header{"Origin": {"https://b.com"}}, false},
		"own":     {http.Header{"Origin": {"http://example.com"}}, true},
		"fetch":   {http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range test.header {
			r.Header[k] = v
		}
		if got := s.AllowsOrigin(r); got != test.want || r.Method != http.MethodGet {
			t.Errorf("%s: %t", name, got)
		}
	}
}
