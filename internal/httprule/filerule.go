package httprule

import (
	"iter"
	"strings"

	yaml "go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
)

// rule reads an entry of http.rules; nil if it has no selector.
func (r *fileReader) rule(item *yaml.Node) *Rule {
	rule := &Rule{at: make(map[Part]diag.Position)}
	rule.HTTP = r.binding(rule, item, 0)
	if rule.Selector == "" {
		r.missing(item, "selector: pkg.Service.Method")
		return nil
	}
	return rule
}

// binding reads a rule or, if index is not 0, an additional binding.
func (r *fileReader) binding(rule *Rule, item *yaml.Node, index int) *annotations.HttpRule {
	out := new(annotations.HttpRule)
	rule.at[Part{Binding: index}] = r.position(item)
	pattern := ""
	for key, value := range r.pairs(item, "an HTTP rule") {
		name := snake(key.Value)
		rule.at[Part{index, name}] = r.position(value)
		switch name {
		case "selector":
			if selector := r.selector(value); index == 0 {
				rule.Selector = selector
			}
		case "body":
			out.Body = r.text(value, name)
		case "response_body":
			out.ResponseBody = r.text(value, name)
		case "additional_bindings":
			r.additional(rule, out, value, index)
		case "get", "put", "post", "delete", "patch", "custom":
			if pattern != "" {
				r.fail(key, "a rule has one path: put %s into an entry of additional_bindings, because the rule has %s already", name, pattern)
			}
			pattern = name
			r.pattern(out, name, value)
		default:
			r.unknown(key, "an HTTP rule", "selector", "get", "put", "post", "delete", "patch", "custom", "body", "response_body", "additional_bindings")
		}
	}
	return out
}

// additional reads the additional bindings of a rule.
func (r *fileReader) additional(rule *Rule, out *annotations.HttpRule, list *yaml.Node, index int) {
	for item := range r.items(list, "additional_bindings") {
		if index > 0 {
			out.AdditionalBindings = []*annotations.HttpRule{{}} // which is an error where the rule is checked
			return
		}
		out.AdditionalBindings = append(out.AdditionalBindings, r.binding(rule, item, len(out.AdditionalBindings)+1))
	}
}

func (r *fileReader) pattern(out *annotations.HttpRule, name string, value *yaml.Node) {
	if name == "custom" {
		custom := new(annotations.CustomHttpPattern)
		for key, value := range r.pairs(value, "custom") {
			switch key.Value {
			case "kind":
				custom.Kind = r.text(value, "kind")
			case "path":
				custom.Path = r.text(value, "path")
			default:
				r.unknown(key, "custom", "kind", "path")
			}
		}
		out.Pattern = &annotations.HttpRule_Custom{Custom: custom}
		return
	}
	path := r.text(value, name)
	switch name {
	case "get":
		out.Pattern = &annotations.HttpRule_Get{Get: path}
	case "put":
		out.Pattern = &annotations.HttpRule_Put{Put: path}
	case "post":
		out.Pattern = &annotations.HttpRule_Post{Post: path}
	case "delete":
		out.Pattern = &annotations.HttpRule_Delete{Delete: path}
	case "patch":
		out.Pattern = &annotations.HttpRule_Patch{Patch: path}
	}
}

// selector reads the name of a method.
func (r *fileReader) selector(n *yaml.Node) protoreflect.FullName {
	text := r.text(n, "selector")
	name := protoreflect.FullName(text)
	switch {
	case text == "":
	case strings.ContainsAny(text, "*,"):
		r.fail(n, "selector %q: an HTTP rule is for one method, so write its full name, pkg.Service.Method", diag.Clip(text))
	case !name.IsValid() || !strings.Contains(text, "."):
		r.fail(n, "selector %q is not the full name of a method: write pkg.Service.Method", diag.Clip(text))
	}
	return name
}

// snake returns a name in JSON's form as it is in the .proto file.
func snake(key string) string {
	switch key {
	case "responseBody":
		return "response_body"
	case "additionalBindings":
		return "additional_bindings"
	}
	return key
}

func (r *fileReader) unknown(key *yaml.Node, where string, known ...string) {
	r.fail(key, "%s has no key %q%s", where, diag.Clip(key.Value), nearest.DidYouMean(nearest.Names(key.Value, known, 1)))
}

func (r *fileReader) missing(item *yaml.Node, what string) {
	r.fail(item, "the entry lacks %s", what)
}

// text returns a scalar as it is written.
func (r *fileReader) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fail(n, "%s must be a text%s", what, noAlias(n))
		return ""
	}
	return n.Value
}

// pairs yields the keys and values of a mapping.
func (r *fileReader) pairs(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.fail(n, "%s must be a mapping, key: value%s", what, noAlias(n))
			return
		}
		seen := make(map[string]bool)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if name := snake(key.Value); seen[name] {
				r.fail(key, "key %q occurs twice", diag.Clip(name))
			} else {
				seen[name] = true
			}
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

// items yields the items of a list, which may be empty.
func (r *fileReader) items(n *yaml.Node, what string) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
			return
		}
		if n.Kind != yaml.SequenceNode {
			r.fail(n, "%s must be a list%s", what, noAlias(n))
			return
		}
		for _, item := range n.Content {
			if !yield(item) {
				return
			}
		}
	}
}

// noAlias says why an alias is not taken.
func noAlias(n *yaml.Node) string {
	if n.Kind == yaml.AliasNode {
		return "; aliases are not supported"
	}
	return ""
}
