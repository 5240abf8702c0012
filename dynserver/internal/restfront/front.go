package restfront

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/dynserver/internal/framing"
)

// Front is an http.Handler that serves the calls of generations. It is safe for
// concurrent use.
type Front struct {
	current   *dispatch.Current
	opts      Options
	endpoints *dispatch.Derived[*endpoints]
	headers   headerRules
	sockets   *framing.Sockets
}

// New returns a Front for the generation that is current when a call begins.
func New(current *dispatch.Current, opts Options) *Front {
	opts = opts.withDefaults()
	return &Front{
		current:   current,
		opts:      opts,
		endpoints: dispatch.NewDerived(newEndpoints),
		headers:   newHeaderRules(opts),
		sockets: framing.NewSockets(framing.SocketOptions{
			AllowOrigin: opts.AllowOrigin, MaxBytes: int64(opts.MaxBodyBytes),
			Ping: opts.PingInterval, WriteTimeout: opts.WriteTimeout,
		}),
	}
}

// ServeHTTP implements http.Handler. A call is served from the generation in which
// it begins.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	generation := f.current.Pin()
	c := &call{front: f, w: w, r: r, socket: isUpgrade(r)}
	var path string
	if c.endpoint, path = f.find(generation, c); c.endpoint == nil {
		defer generation.Unpin()
		f.refuse(w, r, generation, path)
		return
	}
	if c.endpoint.route.Own() { // such calls may last for days, and need no generation
		generation.Unpin()
	} else {
		defer generation.Unpin()
	}
	if c.socket {
		c.serveSocket()
	} else {
		c.serve()
	}
}

// find returns the endpoint of a request, or nil, and the path by which it looked. It
// stores what the variables of the path matched in c.
//
// The verb of a WebSocket is GET, whatever the verb of the method's rule is.
func (f *Front) find(g *dispatch.Generation, c *call) (*endpoint, string) {
	path, all := c.r.URL.EscapedPath(), f.endpoints.Of(g)
	if c.r.Method == http.MethodPost || c.socket {
		if route := g.Route(path); route != nil {
			return all.ofRoute(route), path
		}
	}
	binding, values := g.HTTP().Find(c.r.Method, path, c.room[:0])
	if binding == nil && c.socket {
		if verbs := g.HTTP().Allow(path); len(verbs) > 0 {
			binding, values = g.HTTP().Find(verbs[0], path, c.room[:0])
		}
	}
	if binding == nil {
		return nil, path
	}
	c.values = values
	return all.ofBinding(g, binding), path
}

// isUpgrade reports whether a request is for a WebSocket.
func isUpgrade(r *http.Request) bool {
	return r.Header["Upgrade"] != nil && r.Method == http.MethodGet && framing.IsUpgrade(r)
}

// refuse answers a request that no binding matches.
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, g *dispatch.Generation, path string) {
	allow := g.HTTP().Allow(path)
	if g.Route(path) != nil {
		allow = append(allow, http.MethodPost)
	}
	if len(allow) == 0 {
		f.reject(w, r, notFound(g, r.Method, path))
		return
	}
	allow = unique(allow)
	w.Header()["Allow"] = []string{strings.Join(unique(append(slices.Clone(allow), http.MethodOptions)), ", ")}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	f.reject(w, r, wrongVerb(r.Method, path, allow))
}
