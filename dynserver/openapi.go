package dynserver

import (
	"context"
	"io"

	"github.com/dyngate/dyngate/dynserver/internal/httpport"
	"github.com/dyngate/dyngate/dynserver/internal/pages"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/openapi"
)

// OpenAPIOptions are the parts of an OpenAPI document that no schema has.
type OpenAPIOptions struct {
	Title       string // of the API, default "dyngate"
	Version     string // of the API, default "0.0.0"
	Description string // in Markdown

	// Servers are the URLs of servers. Default: the server that the document comes from.
	Servers []string
}

// OpenAPIFormat is how an OpenAPI document is written.
type OpenAPIFormat int

// The formats of OpenAPI documents.
const (
	OpenAPIJSON OpenAPIFormat = iota
	OpenAPIYAML
)

// OpenAPI reads the sources and the HTTP rules as [New] does, and writes the OpenAPI
// 3.1 document of their services to w. It does not listen and leaves nothing running.
// It uses the fields of the Config that [Check] uses, Lenient, HTTP.OpenAPI and
// HTTP.REST.ProtoNames.
//
// OpenAPI returns all problems that it found. If there are errors it writes nothing and
// returns a *[LoadError], unless config.Lenient is set: then the document has the
// services that are good.
func OpenAPI(ctx context.Context, w io.Writer, format OpenAPIFormat, config Config) ([]*diag.Diagnostic, error) {
	config = config.withDefaults()
	config.Channelz = false // it would begin to collect data
	own, _ := config.ownServices(nil, nil)
	loader := config.loader(own)
	defer loader.Release()
	generation, diags, err := loader.Load(ctx, nil, config.Middleware, 0)
	if err != nil {
		return nil, err
	}
	defer generation.Unpin()
	if diag.HasErrors(diags) && !config.Lenient {
		return diags, &LoadError{Diagnostics: diags}
	}
	document, err := pages.Document(ctx, generation, config.HTTP.document())
	if err != nil {
		return diags, err
	}
	return diags, document.Write(w, openapi.Format(format))
}

// document returns the settings of the document.
func (o HTTPOptions) document() openapi.Options {
	return openapi.Options{
		Title: o.OpenAPI.Title, Version: o.OpenAPI.Version, Description: o.OpenAPI.Description, Servers: o.OpenAPI.Servers,
		ProtoNames: o.REST.ProtoNames,
	}
}

// newPages returns the pages of the HTTP port; nil if they are off.
func (s *Server) newPages() httpport.Pages {
	if s.config.HTTP.NoPages {
		return nil
	}
	return pages.New(&s.current, s.config.HTTP.document())
}
