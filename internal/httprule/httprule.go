// Package httprule says which method answers an HTTP request, as google/api/http.proto
// defines: it reads rules from annotations and service configuration files, checks
// them against their methods, and finds the rule for the verb and path of a request.
// It knows nothing of HTTP but verbs and paths.
//
// # Matching
//
// Matching is on the escaped path, so an escaped slash never separates segments. A
// literal in a template matches the same text, escaped or not. A "*" matches one
// segment that is not empty, a "**" any number of segments, zero and empty ones included.
//
// A variable of one segment is decoded fully, once: %2F becomes "/", and %252F becomes
// "%2F". A variable that may hold several segments keeps %2F, because its slashes
// separate segments.
//
// The most specific template wins, whatever the order of the rules: at the first
// segment that differs, a literal beats "*", and "*" beats "**". If both have the same
// segments, one with a verb (":cancel") beats one without. The HTTP verb counts last. If the best template does not have the
// HTTP verb of the request, the next one is tried.
package httprule

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Binding is one way to call a method by HTTP: one google.api.HttpRule without its
// additional bindings. It is immutable.
type Binding struct {
	Method   protoreflect.MethodDescriptor
	Verb     string // "GET", or a custom kind as the rule spells it; "*" is every verb
	Template *Template
	Vars     []Variable // in the order of the template
	Body     Body       // where the request body goes

	// Response is the field that is the response body; nil for the whole message.
	Response protoreflect.FieldDescriptor

	// Success is the HTTP status of a call that succeeds, from 200 to 299; 0 if no rule
	// sets it.
	Success int

	// Position is that of the option in the .proto file (of the method, if the option's
	// own is unknown), or of the rule in its YAML file.
	Position diag.Position
}

// Path returns the path of the method's calls: /pkg.Service/Method.
func (b *Binding) Path() string {
	return "/" + string(b.Method.Parent().FullName()) + "/" + string(b.Method.Name())
}

// Variable is a part of a path that sets a field of the request.
type Variable struct {
	Field []protoreflect.FieldDescriptor // the path of the field: book, name
	Name  string                         // as written: "book.name"
	Multi bool                           // may hold several segments: keeps %2F
}

// Body says where the body of a request goes. The zero Body takes none.
type Body struct {
	Whole bool                         // to the whole message: "*"
	Field protoreflect.FieldDescriptor // to this field, if not nil
}

// Default returns the binding that every method has: POST /pkg.Service/Method, with the
// request as the body.
func Default(m protoreflect.MethodDescriptor) *Binding {
	b := &Binding{Method: m, Verb: "POST", Body: Body{Whole: true}}
	b.Template = &Template{text: b.Path(), Segments: []Segment{
		{Kind: Literal, Text: string(m.Parent().FullName())},
		{Kind: Literal, Text: string(m.Name())},
	}}
	return b
}
