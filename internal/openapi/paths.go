package openapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/httprule"
)

// pathItem is a path of the document, with its operations.
type pathItem struct {
	path   string
	params []string // the names of its parameters, in order
	byKey  []*operation
	others []*operation // that OpenAPI has no place for
}

// operation is one way to call a method.
type operation struct {
	*httprule.Binding
	id    string
	key   string     // in the path item, such as "get"
	parts []wildcard // the wildcards of the template, in order
	first bool       // of the bindings of its method
}

// wildcard is a segment of a template that matches any text.
type wildcard struct {
	variable int  // the index of the variable that it belongs to; -1 for none
	whole    bool // it is all of the variable
	multi    bool // it is "**"
	name     string
}

// keys are the keys of operations in a path item.
var keys = map[string]string{
	"GET": "get", "PUT": "put", "POST": "post", "DELETE": "delete", "OPTIONS": "options",
	"HEAD": "head", "PATCH": "patch", "TRACE": "trace",
}

// anyVerb are the keys that a rule for all verbs has, unless other rules have them.
var anyVerb = []string{"get", "put", "post", "delete", "patch"}

// arrange sorts the operations of all services by their paths.
func arrange(services []Service) []*pathItem {
	items := make(map[string]*pathItem)
	for _, op := range operations(services) {
		path, shape := expand(op)
		item := items[shape]
		if item == nil {
			item = &pathItem{path: path}
			for _, p := range op.parts {
				item.params = append(item.params, p.name)
			}
			items[shape] = item
		}
		item.add(op)
	}
	all := make([]*pathItem, 0, len(items))
	for _, item := range items {
		item.expandAny()
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b *pathItem) int { return strings.Compare(a.path, b.path) })
	return all
}

// operations returns the operations of the services, those with a "**" last, because
// others are more specific.
func operations(services []Service) (ops []*operation) {
	for _, s := range services {
		byMethod := make(map[protoreflect.FullName][]*httprule.Binding)
		for _, b := range s.Bindings {
			byMethod[b.Method.FullName()] = append(byMethod[b.Method.FullName()], b)
		}
		for i := range s.Desc.Methods().Len() {
			m := s.Desc.Methods().Get(i)
			bindings := byMethod[m.FullName()]
			if len(bindings) == 0 {
				bindings = []*httprule.Binding{httprule.Default(m)}
			}
			for i, b := range bindings {
				op := &operation{Binding: b, id: string(m.FullName()), key: keys[b.Verb], first: i == 0}
				if i > 0 {
					op.id += "-" + strconv.Itoa(i+1)
				}
				ops = append(ops, op)
			}
		}
	}
	slices.SortStableFunc(ops, func(a, b *operation) int { return index(a.hasMulti()) - index(b.hasMulti()) })
	return ops
}

func (op *operation) hasMulti() bool {
	return slices.ContainsFunc(op.Template.Segments, func(s httprule.Segment) bool { return s.Kind == httprule.Multi })
}

// add adds an operation where the path item has a place for it.
func (p *pathItem) add(op *operation) {
	if op.key == "" || p.has(op.key) {
		p.others = append(p.others, op)
		return
	}
	p.byKey = append(p.byKey, op)
}

func (p *pathItem) has(key string) bool {
	return slices.ContainsFunc(p.byKey, func(op *operation) bool { return op.key == key })
}

// expandAny gives a rule for all verbs the keys that no other rule has.
func (p *pathItem) expandAny() {
	for i, op := range p.others {
		if op.Verb != "*" {
			continue
		}
		for _, key := range anyVerb {
			if !p.has(key) {
				copied := *op
				copied.key, copied.id = key, op.id+"-"+key
				p.byKey = append(p.byKey, &copied)
			}
		}
		p.others = slices.Delete(p.others, i, i+1)
		break
	}
	order := []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}
	slices.SortFunc(p.byKey, func(a, b *operation) int { return slices.Index(order, a.key) - slices.Index(order, b.key) })
}

// expand returns the path of an operation in OpenAPI, and the same with empty names of
// parameters: paths that differ only in names are the same path. It names the
// wildcards.
func expand(op *operation) (path, shape string) {
	var p, s strings.Builder
	used := make(map[string]bool)
	for i, segment := range op.Template.Segments {
		p.WriteByte('/')
		s.WriteByte('/')
		if segment.Kind == httprule.Literal {
			text := url.PathEscape(segment.Text)
			p.WriteString(text)
			s.WriteString(text)
			continue
		}
		w := newWildcard(op.Template, i)
		name := w.name
		for n := 2; used[w.name]; n++ {
			w.name = name + strconv.Itoa(n)
		}
		used[w.name] = true
		op.parts = append(op.parts, w)
		p.WriteString("{" + w.name + "}")
		s.WriteString("{}")
	}
	if len(op.Template.Segments) == 0 {
		p.WriteByte('/')
		s.WriteByte('/')
	}
	if op.Template.Verb != "" {
		verb := ":" + url.PathEscape(op.Template.Verb)
		p.WriteString(verb)
		s.WriteString(verb)
	}
	return p.String(), s.String()
}

// newWildcard returns the wildcard at a segment. One that is all of its variable has the
// variable's name; another one is named after the segment before it.
func newWildcard(t *httprule.Template, at int) wildcard {
	w := wildcard{variable: -1, multi: t.Segments[at].Kind == httprule.Multi, name: "segment"}
	start := 0
	for i, c := range t.Captures {
		if c.Start <= at && at < c.End {
			w.variable, w.name, w.whole = i, c.Name, c.End-c.Start == 1
			start = c.Start
		}
	}
	if !w.whole && at > start && t.Segments[at-1].Kind == httprule.Literal {
		w.name = parameterName(t.Segments[at-1].Text) + "Id"
	}
	return w
}

// parameterName replaces what the name of a parameter cannot have.
func parameterName(text string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, text)
}

// pathItem returns the path item of a path.
func (b *builder) pathItem(p *pathItem) object {
	o := object{}
	for _, op := range p.byKey {
		o.set(op.key, b.operation(p, op))
	}
	var others list
	for _, op := range p.others {
		other := obj("x-verb", op.Verb, "x-template", op.Template.String())
		others = append(others, append(other, b.operation(p, op)...))
	}
	if len(others) > 0 {
		o.set("x-operations", others)
	}
	return o
}
