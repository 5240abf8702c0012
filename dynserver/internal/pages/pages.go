// Package pages serves what describes a server: its OpenAPI document, as JSON and YAML,
// and a page that lists its services.
//
// A page is made when a generation's first reader asks for it, and kept compressed: the
// document of a large schema has ninety megabytes, and six when it is compressed.
package pages

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/openapi"
)

// Pages is an http.Handler for the paths that Serves reports.
type Pages struct {
	current *dispatch.Current
	pages   map[string]*dispatch.Derived[*page] // by path
}

// page is a page as it is kept.
type page struct {
	contentType string
	etag        string
	content     []byte // compressed by gzip
	size        int    // not compressed
	err         error
}

// New returns Pages of the generation that is current at a request.
func New(current *dispatch.Current, opts openapi.Options) *Pages {
	p := &Pages{current: current, pages: make(map[string]*dispatch.Derived[*page])}
	add := func(path, contentType string, write func(io.Writer, *dispatch.Generation) error) {
		p.pages[path] = dispatch.NewDerived(func(g *dispatch.Generation) *page {
			return newPage(contentType, g.Number, func(w io.Writer) error { return write(w, g) })
		})
	}
	document := func(format openapi.Format) func(io.Writer, *dispatch.Generation) error {
		return func(w io.Writer, g *dispatch.Generation) error {
			// All readers of the generation use the result, so no reader's context ends it.
			d, err := Document(context.Background(), g, opts)
			if err != nil {
				return err
			}
			return d.Write(w, format)
		}
	}
	add("/openapi.json", "application/json", document(openapi.JSON))
	add("/openapi.yaml", "application/yaml", document(openapi.YAML))
	add("/", "text/html; charset=utf-8", writeIndex)
	return p
}

// Serves reports whether there is a page at a path of a URL.
func (p *Pages) Serves(path string) bool { return p.pages[path] != nil }

// newPage makes a page of what write writes.
func newPage(contentType string, generation int, write func(io.Writer) error) *page {
	var compressed bytes.Buffer
	sum, size := sha256.New(), counter(0)
	zip, _ := gzip.NewWriterLevel(&compressed, gzip.BestSpeed) // the level is valid
	err := write(io.MultiWriter(zip, sum, &size))
	if err == nil {
		err = zip.Close()
	}
	return &page{
		contentType: contentType, content: compressed.Bytes(), size: int(size), err: err,
		// Weak, because both the compressed and the other form have it.
		etag: fmt.Sprintf(`W/"%d-%x"`, generation, sum.Sum(nil)[:8]),
	}
}

// counter counts the bytes that are written to it.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if !p.Serves(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "the page can only be read", http.StatusMethodNotAllowed)
		return
	}
	generation := p.current.Pin()
	page := p.pages[r.URL.Path].Of(generation)
	generation.Unpin()
	if page.err != nil {
		http.Error(w, "the page cannot be made: "+page.err.Error(), http.StatusInternalServerError)
		return
	}
	page.serve(w, r)
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("ETag", p.etag)
	header.Set("Cache-Control", "no-cache") // ask whether it is still current
	header.Set("Vary", "Accept-Encoding")
	if matches(r.Header["If-None-Match"], p.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", p.contentType)
	if strings.HasPrefix(p.contentType, "text/html") {
		header.Set("Content-Security-Policy", indexPolicy)
		header.Set("Referrer-Policy", "no-referrer")
	}
	var body io.Reader = bytes.NewReader(p.content)
	size := len(p.content)
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		header.Set("Content-Encoding", "gzip")
	} else {
		body, _ = gzip.NewReader(body) // it was written by newPage
		size = p.size
	}
	header.Set("Content-Length", strconv.Itoa(size))
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, body) //nolint:gosec // newPage compressed it; an error means that the reader is gone
	}
}

// matches reports whether the values of an If-None-Match header name an ETag.
func matches(values []string, etag string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reports whether the values of an Accept-Encoding header include gzip.
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(one, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			weight, found := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			q, err := strconv.ParseFloat(weight, 64)
			return !found || err != nil || q > 0
		}
	}
	return false
}
