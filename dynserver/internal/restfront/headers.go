package restfront

import (
	"net/http"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
)

const (
	metadataPrefix = "Grpc-Metadata-"
	trailerPrefix  = "Grpc-Trailer-"

	// codeKey is the key of response metadata by which a handler chooses the HTTP
	// status.
	codeKey = "x-http-code"
)

// forFront reports whether a key of response metadata is for this package only, and is
// never sent.
func forFront(key string) bool {
	switch key {
	case codeKey, "sse-id", "sse-event", "sse-retry":
		return true
	}
	return false
}

// requestHeaders become metadata under their own names.
var requestHeaders = []string{
	"authorization", "cookie", "user-agent", "accept-language", "origin", "referer",
	"if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
	"idempotency-key", "last-event-id", "prefer", "x-api-key",
	"x-request-id", "x-correlation-id", "traceparent", "tracestate", "baggage", "b3", "x-b3-*", "x-cloud-trace-context",
	"forwarded", "x-forwarded-*", "x-real-ip", "via",
}

// responseHeaders are keys of metadata that become headers under their own names.
var responseHeaders = []string{
	"etag", "last-modified", "cache-control", "expires", "vary", "age", "pragma",
	"location", "content-location", "link", "content-disposition", "content-language", "accept-ranges",
	"set-cookie", "www-authenticate", "retry-after", "allow", "preference-applied",
	"x-request-id", "x-correlation-id", "traceresponse", "server-timing",
	"ratelimit*", "x-ratelimit-*", "deprecation", "sunset", "warning",
	"access-control-*", "content-security-policy", "strict-transport-security", "referrer-policy", "x-content-type-options", "x-frame-options",
}

// names is a set of header names in lower case.
type names struct {
	exact    map[string]string // by canonical name
	prefixes []string
}

func newNames(lists ...[]string) names {
	n := names{exact: make(map[string]string)}
	for _, list := range lists {
		for _, name := range list {
			name = strings.ToLower(name)
			if prefix, ok := strings.CutSuffix(name, "*"); ok {
				n.prefixes = append(n.prefixes, prefix)
			} else {
				n.exact[http.CanonicalHeaderKey(name)] = name
			}
		}
	}
	return n
}

// find returns a header's name in lower case if the set has it.
func (n *names) find(canonical string) (lower string, ok bool) {
	if lower, ok = n.exact[canonical]; ok {
		return lower, true
	}
	for _, prefix := range n.prefixes {
		if len(canonical) >= len(prefix) && strings.EqualFold(canonical[:len(prefix)], prefix) {
			return strings.ToLower(canonical), true
		}
	}
	return "", false
}

// headerRules say which headers become metadata, and which metadata becomes headers.
type headerRules struct{ request, response names }

func newHeaderRules(o Options) headerRules {
	return headerRules{
		request:  newNames(requestHeaders, o.RequestHeaders),
		response: newNames(responseHeaders, o.ResponseHeaders),
	}
}

// metadata returns the metadata of a request. A name that headers become themselves
// is not taken from a header with the prefix: a proxy that removes or sets
// X-Forwarded-For does not know Grpc-Metadata-X-Forwarded-For. Values that cannot be
// decoded are left out; check refuses such requests before.
func (h *headerRules) metadata(r *http.Request) metadata.MD {
	md := make(metadata.MD, len(r.Header)+1)
	for name, values := range r.Header {
		key, ok := h.key(name)
		if !ok {
			continue
		}
		if decoded, err := httpcall.Decode(key, values); err == nil {
			md[key] = append(md[key], decoded...)
		}
	}
	if r.Host != "" {
		md[":authority"] = []string{r.Host}
	}
	return md
}

// key returns the key of metadata of a header.
func (h *headerRules) key(name string) (string, bool) {
	rest, prefixed := strings.CutPrefix(name, metadataPrefix)
	if !prefixed {
		key, ok := h.request.find(name)
		return key, ok && !reserved(key)
	}
	if _, own := h.request.exact[http.CanonicalHeaderKey(rest)]; own || rest == "" {
		return "", false
	}
	for _, prefix := range h.request.prefixes {
		if prefix != "" && len(rest) >= len(prefix) && strings.EqualFold(rest[:len(prefix)], prefix) {
			return "", false
		}
	}
	key := strings.ToLower(rest)
	return key, !reserved(key)
}

// check finds headers whose values cannot be decoded. The error has a status.
func (h *headerRules) check(header http.Header) error {
	for name, values := range header {
		if !strings.HasSuffix(name, "-Bin") {
			continue
		}
		if _, ok := h.key(name); !ok {
			continue
		}
		if _, err := httpcall.Decode(name, values); err != nil {
			return err
		}
	}
	return nil
}

// add adds response metadata to the headers of a response.
func (h *headerRules) add(header http.Header, md metadata.MD) {
	for key, values := range md {
		if forFront(key) || reserved(key) {
			continue
		}
		name := http.CanonicalHeaderKey(key)
		if _, own := h.response.find(name); !own {
			name = metadataPrefix + name
		}
		header[name] = append(header[name], httpcall.Encode(key, values)...)
	}
}

// addTrailer adds trailers to the headers of a response that has been written, in the
// form that net/http sends after the body.
func addTrailer(header http.Header, md metadata.MD) {
	for key, values := range md {
		if !forFront(key) && !reserved(key) {
			header[http.TrailerPrefix+trailerPrefix+http.CanonicalHeaderKey(key)] = httpcall.Encode(key, values)
		}
	}
}

// wantsTrailers reports whether the caller of a request understands trailers.
func wantsTrailers(r *http.Request) bool {
	for _, te := range r.Header["Te"] {
		for part := range strings.SplitSeq(te, ",") {
			if coding, _, _ := strings.Cut(part, ";"); strings.EqualFold(strings.TrimSpace(coding), "trailers") {
				return true
			}
		}
	}
	return false
}

// reserved reports whether a key, in lower case, is never metadata: the connection,
// the body and its format are the front's.
func reserved(key string) bool {
	switch key {
	case "content-type", "accept", "expect", "range", "content-range", "if-range":
		return true
	}
	return httpcall.Reserved(key) || strings.HasPrefix(key, "sec-websocket-") || strings.HasPrefix(key, ":")
}
