package httprule

import (
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
)

// checker makes the binding of one rule, without its additional bindings.
type checker struct {
	src      Source
	method   protoreflect.MethodDescriptor
	rule     *annotations.HttpRule
	index    int
	problems []*diag.Diagnostic
	failed   bool
}

// fail reports an error in a part of the rule.
func (c *checker) fail(field, format string, args ...any) {
	c.failed = true
	args = append([]any{c.method.FullName()}, args...)
	c.problems = append(c.problems, c.src.Diagnose(diag.Error, Part{c.index, field}, "the HTTP rule of %s: "+format, args...))
}

func (c *checker) binding() *Binding {
	b := &Binding{Method: c.method, Position: c.src.Position(Part{Binding: c.index})}
	if c.index > 0 && len(c.rule.GetAdditionalBindings()) > 0 {
		c.fail("additional_bindings", "an additional binding has additional_bindings of its own: list all of them in the rule itself")
	}
	verb, path, field := c.pattern()
	if field == "" {
		return b
	}
	b.Verb = verb
	var err error
	if b.Template, err = Parse(path); err != nil {
		if syntax := (*SyntaxError)(nil); errors.As(err, &syntax) {
			c.fail(field, "the path is invalid: %s\n%s", syntax.Message, syntax.picture())
		}
		return b
	}
	for i, v := range b.Template.Captures {
		for _, other := range b.Template.Captures[:i] {
			if v.Name == other.Name {
				c.fail(field, "path variable {%s} occurs twice", v.Name)
			}
		}
		b.Vars = append(b.Vars, Variable{Field: c.variable(v.Name, field), Name: v.Name, Multi: b.Template.multi(v)})
	}
	b.Body = c.body()
	if name := c.rule.GetResponseBody(); name == "*" {
		c.fail("response_body", `leave out response_body for the whole response: "*" is not a field`)
	} else if name != "" {
		b.Response = c.topLevel("response_body", name, c.method.Output())
	}
	return b
}

// pattern returns the HTTP verb and the path of the rule, and the field that has them; ""
// if there is no such field.
func (c *checker) pattern() (verb, path, field string) {
	switch p := c.rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", p.Get, "get"
	case *annotations.HttpRule_Put:
		return "PUT", p.Put, "put"
	case *annotations.HttpRule_Post:
		return "POST", p.Post, "post"
	case *annotations.HttpRule_Delete:
		return "DELETE", p.Delete, "delete"
	case *annotations.HttpRule_Patch:
		return "PATCH", p.Patch, "patch"
	case *annotations.HttpRule_Custom:
		kind := p.Custom.GetKind()
		if kind == "" || strings.ContainsFunc(kind, notInToken) {
			c.fail("custom", "the custom kind %q is not an HTTP verb: write a verb in capitals, such as HEAD, or * for every verb", diag.Clip(kind))
		} else if upper := strings.ToUpper(kind); upper != kind {
			c.fail("custom", "HTTP verbs are in capitals: write %q instead of %q", diag.Clip(upper), diag.Clip(kind))
		}
		return kind, p.Custom.GetPath(), "custom"
	}
	c.fail("", "it has no path: set one of get, put, post, delete, patch and custom")
	return "", "", ""
}

// notInToken reports whether a character cannot be in the name of an HTTP verb.
func notInToken(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
}

// variable returns the fields on the path of a variable.
func (c *checker) variable(name, field string) (path []protoreflect.FieldDescriptor) {
	in := c.method.Input()
	for part := range strings.SplitSeq(name, ".") {
		if len(path) > 0 && in == nil {
			c.fail(field, "path variable {%s}: field %s is not a message, so it has no field %q", name, path[len(path)-1].FullName(), part)
			return nil
		}
		f := in.Fields().ByName(protoreflect.Name(part))
		switch {
		case f == nil:
			c.fail(field, "path variable {%s}: message %s has no field %q%s", name, in.FullName(), part, didYouMean(part, in))
			return nil
		case f.IsMap() || f.IsList():
			c.fail(field, "path variable {%s}: field %s is repeated, and a path has one value only: leave it to the query or the body", name, f.FullName())
			return nil
		}
		path = append(path, f)
		in = f.Message()
	}
	if in != nil && !textual[in.FullName()] {
		c.fail(field, "path variable {%s}: field %s is a message, which has no text form: name one of its fields, such as {%s.%s}",
			name, path[len(path)-1].FullName(), name, anyField(in))
		return nil
	}
	return path
}

// textual are the message types whose JSON form is a string, a number or a boolean.
var textual = map[protoreflect.FullName]bool{
	"google.protobuf.Timestamp": true, "google.protobuf.Duration": true, "google.protobuf.FieldMask": true,
	"google.protobuf.DoubleValue": true, "google.protobuf.FloatValue": true,
	"google.protobuf.Int64Value": true, "google.protobuf.UInt64Value": true,
	"google.protobuf.Int32Value": true, "google.protobuf.UInt32Value": true,
	"google.protobuf.BoolValue": true, "google.protobuf.StringValue": true, "google.protobuf.BytesValue": true,
}

func anyField(m protoreflect.MessageDescriptor) protoreflect.Name {
	if m.Fields().Len() == 0 {
		return "name"
	}
	return m.Fields().Get(0).Name()
}

func (c *checker) body() Body {
	switch name := c.rule.GetBody(); name {
	case "":
		return Body{}
	case "*":
		return Body{Whole: true}
	default:
		return Body{Field: c.topLevel("body", name, c.method.Input())}
	}
}

// topLevel returns the field of a message that a part of the rule names.
func (c *checker) topLevel(part, name string, in protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	f := in.Fields().ByName(protoreflect.Name(name))
	switch {
	case f != nil:
		return f
	case strings.Contains(name, "."):
		c.fail(part, "%s %q is inside another field: it must be a field of %s itself", part, name, in.FullName())
	default:
		c.fail(part, "%s names field %q, which message %s does not have%s", part, name, in.FullName(), didYouMean(name, in))
	}
	return nil
}

// didYouMean suggests the fields of a message whose names are near to name.
func didYouMean(name string, in protoreflect.MessageDescriptor) string {
	fields := in.Fields()
	known := make([]string, fields.Len())
	for i := range known {
		known[i] = string(fields.Get(i).Name())
	}
	return nearest.DidYouMean(nearest.Names(name, known, 3))
}
