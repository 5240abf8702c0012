package httpport

import (
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Fronts are the handlers of a port. It is an http.Handler that chooses between them.
type Fronts struct {
	// Web serves the requests that Speaks accepts: Connect, gRPC-Web and gRPC.
	Web    http.Handler
	Speaks func(*http.Request) bool

	// Pages serves the paths /, /openapi.json and /openapi.yaml, unless Bound reports
	// that a method of the user has such a path.
	Pages http.Handler
	Bound func(*http.Request) bool

	// REST serves all other requests.
	REST http.Handler
}

// ServeHTTP implements http.Handler.
func (f Fronts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Web != nil && f.Speaks(r):
		f.Web.ServeHTTP(w, r)
	case f.Pages != nil && isPage(r.URL.Path) && (f.Bound == nil || !f.Bound(r)):
		f.Pages.ServeHTTP(w, r)
	case f.REST != nil:
		f.REST.ServeHTTP(w, r)
	default:
		writeStatus(w, http.StatusNotFound, status.New(codes.NotFound, "there is nothing at this path"))
	}
}

func isPage(path string) bool {
	return path == "/" || path == "/openapi.json" || path == "/openapi.yaml"
}
