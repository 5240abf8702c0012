// Package openapi describes methods and their HTTP rules as an OpenAPI 3.1 document.
//
// A document promises two things: the server accepts each request that fits it, and
// each response of the server fits it. The server accepts more than the document
// shows, such as original names of fields, null, and numbers in quotes. What a schema
// declares but the server does not check is described too: google.api.field_behavior
// and the rules of buf.validate.
//
// # Names
//
// The schema of a message or an enum has its full name. If two types have the same
// full name but are different, which happens if two services import different files,
// the second one gets the suffix "-2". A message from which fields are missing because
// they are in the path has the suffix "-without-FIELD".
//
// # Paths
//
// OpenAPI has parameters of one segment only. A variable with a pattern becomes
// literals and one parameter for each wildcard, named after the segment before it:
// /v1/{name=shelves/*} becomes /v1/shelves/{shelvesId}. A parameter for "**" may hold
// several segments, and is marked with x-multi-segment. Operations for which a path
// item of OpenAPI 3.1 has no place are in its list x-operations: custom verbs, and
// rules whose "**" matches what "*" in another rule matches, too.
package openapi

import (
	"context"
	"io"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/schema"
)

// Service is a service to describe.
type Service struct {
	Desc protoreflect.ServiceDescriptor
	File *schema.File // that declares it

	// Bindings are those of the service's methods. A method without one is described
	// with httprule.Default.
	Bindings []*httprule.Binding
}

// Options are the parts of a document that no schema has.
type Options struct {
	Title       string // of the API, default "dyngate"
	Version     string // of the API, default "0.0.0"
	Description string
	Servers     []string // the URLs that paths are relative to; none: the server of the document

	// ProtoNames describes a server that writes the names of the schema instead of JSON
	// names.
	ProtoNames bool
}

// Format is how a document is written.
type Format int

// The formats.
const (
	JSON Format = iota
	YAML
)

// Document is what Write writes. It is immutable.
type Document struct {
	opts     Options
	services []Service
	paths    []*pathItem
	comments Comments
}

// New prepares a document. The services are sorted by name. files returns the file of
// a descriptor, for its comments, or nil. New returns an error if ctx ends.
func New(ctx context.Context, services []Service, files func(protoreflect.FileDescriptor) *schema.File, opts Options) (*Document, error) {
	if opts.Title == "" {
		opts.Title = "dyngate"
	}
	if opts.Version == "" {
		opts.Version = "0.0.0"
	}
	d := &Document{opts: opts, services: services, paths: arrange(services)}
	var err error
	d.comments, err = ReadComments(ctx, filesOf(services, files))
	return d, err
}

// Write writes the document. Documents of the same schemas are the same, byte by byte.
func (d *Document) Write(out io.Writer, format Format) error {
	b := &builder{Document: d, components: newComponents(), rules: newRules()}
	w := newWriter(out, format == YAML)
	w.open(false)
	w.member("openapi", "3.1.0")
	w.member("info", b.info())
	if len(d.opts.Servers) > 0 {
		servers := list{}
		for _, url := range d.opts.Servers {
			servers = append(servers, obj("url", url))
		}
		w.member("servers", servers)
	}
	w.member("tags", b.tags())
	w.key("paths")
	w.open(false)
	for _, p := range d.paths {
		w.member(p.path, b.pathItem(p))
	}
	w.close()
	w.key("components")
	w.open(false)
	w.key("schemas")
	w.open(false)
	status := b.ref(statusDescriptor)
	for _, c := range b.closure() {
		w.member(c.name, b.component(c))
	}
	if b.streams {
		w.member(streamError, streamErrorSchema(status))
	}
	w.close()
	w.member("responses", obj(errorResponse, obj(
		"description", "The call failed. The HTTP status follows from the code of the error.",
		"content", jsonContent(status),
	)))
	w.close()
	w.close()
	return w.finish()
}

const about = "Methods without an HTTP rule are described at POST /package.Service/Method. " +
	"Methods with a rule also answer there, with the request as the body."

func (b *builder) info() object {
	text := about
	if b.opts.Description != "" {
		text = b.opts.Description + "\n\n" + about
	}
	return obj("title", b.opts.Title, "version", b.opts.Version, "description", text)
}

func (b *builder) tags() list {
	tags := list{}
	for _, s := range b.services {
		tag := obj("name", string(s.Desc.FullName()))
		tag.setText("description", b.comments[s.Desc])
		tags = append(tags, tag)
	}
	return tags
}
