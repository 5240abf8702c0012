package httpport

import (
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Pages is the handler of a few paths.
type Pages interface {
	http.Handler
	Serves(path string) bool
}

// Fronts are the handlers of a port. It is an http.Handler that chooses between them.
type Fronts struct {
	// Web serves the requests that Speaks accepts: Connect, gRPC-Web and gRPC.
	Web    http.Handler
	Speaks func(*http.Request) bool

	// Pages serves its paths, unless Bound reports that a method has an HTTP rule for
	// the request. Nil for none.
	Pages Pages
	Bound func(*http.Request) bool

	// REST serves all other requests.
	REST http.Handler
}

// ServeHTTP implements http.Handler.
func (f Fronts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Web != nil && f.Speaks(r):
		f.Web.ServeHTTP(w, r)
	case f.Pages != nil && f.Pages.Serves(r.URL.Path) && !f.Bound(r):
		f.Pages.ServeHTTP(w, r)
	case f.REST != nil:
		f.REST.ServeHTTP(w, r)
	default:
		writeStatus(w, http.StatusNotFound, status.New(codes.NotFound, "there is nothing at this path"))
	}
}
