package httpport

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/cors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What a page may send. Names of a preflight that are not in these lists are allowed
// as well, because any header may be metadata of a call, and any word a method.
var (
	allowMethods = join(cors.AllowedMethods(), "HEAD", "PUT", "PATCH", "DELETE")
	allowHeaders = join(cors.AllowedHeaders(),
		"Accept", "Authorization", "Content-Encoding", "If-None-Match", "Last-Event-ID", "Traceparent", "Tracestate", "X-Request-Id")
)

// exposeHeaders are always exposed: trailers of gRPC-Web are, if there is no body.
var exposeHeaders = join(cors.ExposedHeaders())

func join(names []string, more ...string) []string { return slices.Concat(names, more) }

// crossOrigin handles what CORS demands. It reports whether the request is to be
// served; otherwise it has been answered.
func (s *Server) crossOrigin(x *exchange) bool {
	r := x.request
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != ""
	h := x.Header()
	if s.origins.configured() {
		h.Add("Vary", "Origin")
	}
	if origin != "" && s.origins.allows(origin) {
		s.allow(h, origin)
		if preflight {
			s.preflight(h, r)
		} else {
			x.exposing = true
		}
	}
	switch {
	case preflight:
		x.ResponseWriter.WriteHeader(http.StatusNoContent)
		return false
	case x.exposing || origin == "" && r.Header.Get("Sec-Fetch-Site") == "":
		return true
	case s.origins.same.Check(r) != nil: // never for GET, HEAD and OPTIONS
		s.refuse(x, status.Errorf(codes.PermissionDenied, "pages of %s may not make calls", nameOrigin(origin)))
		return false
	}
	return true
}

// nameOrigin returns an origin for a message. Some browsers send none.
func nameOrigin(origin string) string {
	if origin == "" {
		return "other origins"
	}
	return fmt.Sprintf("origin %q", origin)
}

func (o *origins) configured() bool { return o.any || len(o.exact) > 0 || len(o.domains) > 0 }

func (s *Server) allow(h http.Header, origin string) {
	if s.origins.any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if s.opts.CORS.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// preflight says what a page of an origin that is allowed may send.
func (s *Server) preflight(h http.Header, r *http.Request) {
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", with(allowMethods, r.Header.Values("Access-Control-Request-Method")))
	h.Set("Access-Control-Allow-Headers", with(allowHeaders, r.Header.Values("Access-Control-Request-Headers")))
	if age := s.opts.CORS.MaxAge; age > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(age.Seconds())))
	} else {
		h.Set("Access-Control-Max-Age", "0")
	}
}

// with returns a list with the words of requested that it lacks.
func with(list, requested []string) string {
	list = slices.Clip(list)
	for _, value := range requested {
		for word := range strings.SplitSeq(value, ",") {
			word = strings.TrimSpace(word)
			if isToken(word) && !slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(l, word) }) {
				list = append(list, word)
			}
		}
	}
	return strings.Join(list, ", ")
}

// isToken reports whether a word may be the name of a header or a method.
func isToken(word string) bool {
	return word != "" && strings.Trim(word, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// expose lets a page of another origin see all headers of its answer, which are
// metadata of its call.
func (x *exchange) expose() {
	h := x.Header()
	names := slices.Clone(exposeHeaders)
	for name := range h {
		if !strings.HasPrefix(name, "Access-Control-") && !strings.HasPrefix(name, http.TrailerPrefix) && name != "Vary" && name != "Set-Cookie" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	h.Set("Access-Control-Expose-Headers", strings.Join(slices.Compact(names), ", "))
}
