package dispatch

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/schema"
)

// HTTP returns the bindings of the services' methods to HTTP paths, without the default
// ones: those of httprule.Default are in Route.
func (g *Generation) HTTP() *httprule.Tree { return g.http.tree }

// httpPaths is the part of a generation that is about HTTP.
type httpPaths struct {
	offered []*httprule.Binding // by all services
	tree    *httprule.Tree
	ties    []*diag.Diagnostic
}

// configured is what files say about a method.
type configured struct {
	rule    *httprule.Rule
	success *httprule.Success
}

// configuredFor returns what files say about each method of a service; nil if they say
// nothing.
func configuredFor(s protoreflect.ServiceDescriptor, config *httprule.Config) []configured {
	if config.Empty() {
		return nil
	}
	all := make([]configured, s.Methods().Len())
	found := false
	for i := range all {
		name := s.Methods().Get(i).FullName()
		all[i] = configured{config.Rule(name), config.Success(name)}
		found = found || all[i] != configured{}
	}
	if !found {
		return nil
	}
	return all
}

// bindHTTP sets the HTTP bindings of a service, or reports what is wrong with its rules.
// It takes those of prev if nothing changed.
func (s *Service) bindHTTP(config *httprule.Config, prev *Service) (problems []*diag.Diagnostic) {
	s.configured = configuredFor(s.Desc, config)
	if prev != nil && prev.Desc == s.Desc && prev.File == s.File && slices.Equal(prev.configured, s.configured) {
		s.HTTP = prev.HTTP
		return nil
	}
	for i := range s.Desc.Methods().Len() {
		m := s.Desc.Methods().Get(i)
		var set configured
		if s.configured != nil {
			set = s.configured[i]
		}
		bindings, wrong := s.bindingsOf(m, set.rule)
		problems = append(problems, wrong...)
		for _, b := range bindings {
			if set.success != nil {
				b.Success = set.success.Code
			}
		}
		s.HTTP = append(s.HTTP, bindings...)
	}
	return problems
}

// bindingsOf returns the bindings of a method: those of a rule in a file, or else of its
// annotation.
func (s *Service) bindingsOf(m protoreflect.MethodDescriptor, rule *httprule.Rule) ([]*httprule.Binding, []*diag.Diagnostic) {
	if rule != nil {
		return httprule.BindingsIn(rule, m, rule.HTTP)
	}
	annotated, err := httprule.RuleOf(m)
	if err != nil {
		return nil, []*diag.Diagnostic{s.File.DiagnoseOption(diag.Error, m, []int32{int32(httprule.Option)}, "%v", err)}
	}
	if annotated == nil {
		return nil, nil
	}
	return httprule.BindingsIn(annotation{s.File, m}, m, annotated)
}

// annotation is the httprule.Source of a rule in a .proto file.
type annotation struct {
	file   *schema.File
	method protoreflect.MethodDescriptor
}

func (a annotation) Position(part httprule.Part) diag.Position {
	return a.file.OptionPosition(a.method, part.Path()...)
}

func (a annotation) Diagnose(severity diag.Severity, part httprule.Part, format string, args ...any) *diag.Diagnostic {
	return a.file.DiagnoseOption(severity, a.method, part.Path(), format, args...)
}

// httpPaths puts the bindings of all services, which are sorted, into a tree. Of bindings
// that tie it keeps the one that prev has.
func (prev *Generation) httpPaths(services []*Service) httpPaths {
	var p httpPaths
	for _, s := range services {
		p.offered = append(p.offered, s.HTTP...)
	}
	if prev.http.tree != nil && slices.Equal(prev.http.offered, p.offered) {
		return prev.http
	}
	var first, others []*httprule.Binding
	for _, b := range p.offered {
		if prev.http.tree.Has(b) {
			first = append(first, b)
		} else {
			others = append(others, b)
		}
	}
	var conflicts []httprule.Conflict
	p.tree, conflicts = httprule.NewTree(slices.Concat(first, others))
	for _, c := range conflicts {
		p.ties = append(p.ties, tied(c))
	}
	return p
}

// tied reports two bindings of which only one can be served.
func tied(c httprule.Conflict) *diag.Diagnostic {
	return diag.New(diag.Error, c.Dropped.Position,
		"methods %s and %s have the same HTTP path: %s %s, here, and %s, at %s\n"+
			"%s matches both; it is answered by %s until one of the paths changes",
		c.Dropped.Method.FullName(), c.Kept.Method.FullName(), c.Dropped.Verb, c.Dropped.Template, c.Kept.Template, c.Kept.Position,
		c.Path, c.Kept.Method.FullName())
}
