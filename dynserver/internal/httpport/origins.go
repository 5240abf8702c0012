package httpport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins are the origins of pages that may make calls.
type origins struct {
	any     bool
	exact   map[string]bool
	domains []domain
	same    http.CrossOriginProtection
}

// domain allows all hosts below one: https:// and .example.com.
type domain struct{ scheme, suffix string }

func parseOrigins(c CORS) (*origins, error) {
	o := &origins{exact: make(map[string]bool)}
	for _, text := range c.Origins {
		if err := o.parse(text); err != nil {
			return nil, fmt.Errorf("origin %q: %w", text, err)
		}
	}
	if o.any && c.Credentials {
		return nil, errors.New(`origin "*" cannot be combined with credentials: any page could then call with a user's cookies`)
	}
	return o, nil
}

func (o *origins) parse(text string) error {
	switch text {
	case "*":
		o.any = true
		return nil
	case "null":
		o.exact[text] = true
		return nil
	}
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("want scheme://host or scheme://host:port, without a path")
	}
	host := u.Host
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	below, wild := strings.CutPrefix(host, "*.")
	if strings.Contains(below, "*") || below == "" {
		return errors.New("a * stands alone, or for the first part of a host: https://*.example.com")
	}
	if wild {
		o.domains = append(o.domains, domain{u.Scheme + "://", "." + below})
	} else {
		o.exact[u.Scheme+"://"+host] = true
	}
	return nil
}

// allows reports whether pages of an origin, as browsers send it, may make calls.
func (o *origins) allows(origin string) bool {
	if o.any || o.exact[origin] {
		return true
	}
	for _, d := range o.domains {
		host, ok := strings.CutPrefix(origin, d.scheme)
		if ok && len(host) > len(d.suffix) && strings.HasSuffix(host, d.suffix) && !strings.ContainsAny(host, "/@") {
			return true
		}
	}
	return false
}

// AllowsOrigin reports whether a request may come from where it comes from: from a page
// of an origin that is allowed, of this server itself, or not from a page. It is for
// requests that browsers send across origins without a preflight, such as those that
// open a WebSocket.
func (s *Server) AllowsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" && r.Header.Get("Sec-Fetch-Site") == "" {
		return true
	}
	if origin != "" && s.origins.allows(origin) {
		return true
	}
	if r.Method == http.MethodGet { // for which Check allows everything
		post := *r
		post.Method = http.MethodPost
		r = &post
	}
	return s.origins.same.Check(r) == nil
}
