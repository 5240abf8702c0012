package pages

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
)

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
pre { background: #f3f3f3; padding: .6rem .8rem; overflow-x: auto; }
ul { padding-left: 1.2rem; } li { margin: .6rem 0; }
p { margin: .2rem 0; white-space: pre-line; }
.verb { display: inline-block; min-width: 4rem; font-weight: bold; }
.note { color: #777; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616; } pre { background: #242424; } a { color: #8ab4f8; } .note { color: #999; } }
`

// indexPolicy allows nothing but the style of the page itself.
var indexPolicy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// indexTemplate is the page at /. It works without scripts. html/template escapes all that
// comes from schemas.
var indexTemplate = template.Must(template.New("index").Funcs(template.FuncMap{
	"style": func() template.CSS { return style },
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dyngate</title>
<style>{{style}}</style>
</head>
<body>
<h1>{{len .Services}} {{if eq (len .Services) 1}}service{{else}}services{{end}}</h1>
<p>OpenAPI 3.1: <a href="/openapi.json">openapi.json</a>, <a href="/openapi.yaml">openapi.yaml</a></p>
{{with .Example}}<p>Every method can be called with JSON, as in this example. Put the address of this server before the path:</p>
<pre>{{.}}</pre>
{{end}}{{range .Services}}<h2 id="{{.Name}}"><code>{{.Name}}</code>{{if .Stale}} <span class="note">(an older version: the current one has errors)</span>{{end}}</h2>
{{with .Comment}}<p>{{.}}</p>
{{end}}<ul>
{{range .Methods}}<li><code>{{.Name}}</code>{{with .Streams}} <span class="note">({{.}})</span>{{end}}{{if .Unanswered}} <span class="note">(no handler)</span>{{end}}{{if .Deprecated}} <span class="note">(deprecated)</span>{{end}}
{{with .Comment}}<p>{{.}}</p>
{{end}}{{range .Ways}}<div><code><span class="verb">{{.Verb}}</span> {{if .Link}}<a href="{{.Path}}">{{.Path}}</a>{{else}}{{.Path}}{{end}}</code></div>
{{end}}</li>
{{end}}</ul>
{{end}}</body>
</html>
`))

type index struct {
	Services []indexService
	Example  string
}

type indexService struct {
	Name, Comment string
	Stale         bool
	Methods       []indexMethod
}

type indexMethod struct {
	Name, Comment, Streams string
	Unanswered, Deprecated bool
	Ways                   []way
}

// way is a way to call a method.
type way struct {
	Verb, Path string
	Link       bool // a browser can open it
}

func newWay(b *httprule.Binding) way {
	return way{b.Verb, b.Template.String(), b.Verb == "GET" && len(b.Template.Captures) == 0 && !b.Method.IsStreamingClient()}
}

// writeIndex writes the page that lists the services of a generation.
func writeIndex(w io.Writer, g *dispatch.Generation) error {
	files := make(map[*schema.File]bool)
	for _, s := range g.Services {
		files[s.File] = true
	}
	// All readers of the generation use the page, so no reader's context ends this.
	comments, err := openapi.ReadComments(context.Background(), slices.Collect(maps.Keys(files)))
	if err != nil {
		return err
	}
	var page index
	for _, s := range g.Services {
		bindings := make(map[protoreflect.FullName][]way)
		for _, b := range bindingsOf(g, s) {
			bindings[b.Method.FullName()] = append(bindings[b.Method.FullName()], newWay(b))
		}
		service := indexService{Name: string(s.Desc.FullName()), Comment: comments[s.Desc], Stale: len(s.Stale) > 0}
		for _, r := range s.Routes {
			m := s.Desc.Methods().ByName(r.Method.Name())
			ways := slices.Concat(bindings[m.FullName()], []way{{Verb: "POST", Path: httprule.Default(m).Path()}})
			service.Methods = append(service.Methods, indexMethod{
				Name: string(m.Name()), Comment: comments[m], Streams: streamsOf(m),
				Unanswered: len(r.Registrations) == 0, Deprecated: openapi.IsDeprecated(m), Ways: ways,
			})
			if page.Example == "" && !m.IsStreamingClient() {
				page.Example = "curl -d '{}' " + httprule.Default(m).Path()
			}
		}
		page.Services = append(page.Services, service)
	}
	return indexTemplate.Execute(w, page)
}

// streamsOf says which messages of a method are streams.
func streamsOf(m protoreflect.MethodDescriptor) string {
	var streams []string
	if m.IsStreamingClient() {
		streams = append(streams, "streams requests")
	}
	if m.IsStreamingServer() {
		streams = append(streams, "streams responses")
	}
	return strings.Join(streams, ", ")
}
