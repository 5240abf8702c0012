package dispatch

import (
	"cmp"
	"fmt"
	"net/http"
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
	offered []*httprule.Binding // by all services, without hidden ones
	tree    *httprule.Tree
	ties    []*diag.Diagnostic // of offered bindings
	hidden  []*diag.Diagnostic // about bindings that default ones hide
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

// nextHTTP puts the bindings of the next generation's services, which are sorted, into a
// tree. Of bindings that tie it keeps the one that this generation has. A service that is leaving gives way to the others,
// because one of them may be its new name.
func (g *Generation) nextHTTP(next *Generation) httpPaths {
	var p httpPaths
	leaving := make(map[*httprule.Binding]bool)
	var hidden []httprule.Conflict
	for _, s := range next.Services {
		for _, b := range s.HTTP {
			owner, by := next.hiding(b)
			if by == nil {
				p.offered = append(p.offered, b)
				leaving[b] = s.Leaving
			} else if !s.Leaving && !owner.Leaving {
				hidden = append(hidden, httprule.Conflict{Kept: by, Dropped: b, Path: by.Path()})
			}
		}
	}
	p.hidden = reports(hidden, hide)
	if g.http.tree != nil && slices.Equal(g.http.offered, p.offered) {
		p.tree, p.ties = g.http.tree, g.http.ties
		return p
	}
	var first, others, last []*httprule.Binding
	for _, b := range p.offered {
		switch {
		case leaving[b]:
			last = append(last, b)
		case g.http.tree.Has(b):
			first = append(first, b)
		default:
			others = append(others, b)
		}
	}
	var conflicts []httprule.Conflict
	p.tree, conflicts = httprule.NewTree(slices.Concat(first, others, last))
	conflicts = slices.DeleteFunc(conflicts, func(c httprule.Conflict) bool { return leaving[c.Dropped] })
	p.ties = reports(conflicts, tie)
	return p
}

// hiding returns the default binding of another method that has the requests of b, and the
// service of that method; nil if there is none.
func (g *Generation) hiding(b *httprule.Binding) (*Service, *httprule.Binding) {
	t := b.Template
	if b.Verb != http.MethodPost || t.Verb != "" || len(t.Segments) != 2 ||
		t.Segments[0].Kind != httprule.Literal || t.Segments[1].Kind != httprule.Literal {
		return nil, nil
	}
	name := protoreflect.FullName(t.Segments[0].Text)
	s := cmp.Or(g.own[name], g.services[name])
	if s == nil {
		return nil, nil
	}
	m := s.Desc.Methods().ByName(protoreflect.Name(t.Segments[1].Text))
	if m == nil || m.FullName() == b.Method.FullName() {
		return nil, nil
	}
	by := httprule.Default(m)
	by.Position.Path = s.File.Location()
	by.Position.Line, by.Position.Column = s.File.Position(m)
	return s, by
}

// reports reports conflicts: as errors, or as warnings if the services were not made for
// one host.
func reports(conflicts []httprule.Conflict, report func(httprule.Conflict) *diag.Diagnostic) (diags []*diag.Diagnostic) {
	type pair struct{ kept, dropped protoreflect.FullName }
	elsewhere := make(map[pair][]httprule.Conflict)
	var order []pair
	for _, c := range conflicts {
		if !c.DifferentHosts() {
			diags = append(diags, report(c))
			continue
		}
		services := pair{c.Kept.Method.Parent().FullName(), c.Dropped.Method.Parent().FullName()}
		if elsewhere[services] == nil {
			order = append(order, services)
		}
		elsewhere[services] = append(elsewhere[services], c)
	}
	for _, services := range order {
		list := elsewhere[services]
		text := fmt.Sprintf("services %s and %s, which are for different hosts, share HTTP paths; %s answers:",
			services.dropped, services.kept, services.kept)
		for i, c := range list {
			if i == 3 {
				text += fmt.Sprintf("\nand %d more", len(list)-i)
				break
			}
			text += fmt.Sprintf("\n%s %s, at %s", c.Dropped.Verb, c.Dropped.Template, c.Kept.Position)
		}
		diags = append(diags, diag.New(diag.Warning, list[0].Dropped.Position, "%s", text))
	}
	return diags
}

// hide reports a binding with the default path of another method.
func hide(c httprule.Conflict) *diag.Diagnostic {
	return diag.New(diag.Error, c.Dropped.Position, "the HTTP rule of %s is never used: method %s at %s always answers %s %s",
		c.Dropped.Method.FullName(), c.Kept.Method.FullName(), c.Kept.Position, c.Kept.Verb, c.Path)
}

// tie reports two bindings of which only one can be served.
func tie(c httprule.Conflict) *diag.Diagnostic {
	kept, dropped := c.Kept.Method.FullName(), c.Dropped.Method.FullName()
	what := fmt.Sprintf("methods %s and %s have the same HTTP path", dropped, kept)
	if kept == dropped {
		what = fmt.Sprintf("method %s has the same HTTP path twice", kept)
	}
	return diag.New(diag.Error, c.Dropped.Position, "%s: %s %s here, and %s at %s\n"+
		"both match %s, which is answered by the latter until one of the paths changes",
		what, c.Dropped.Verb, c.Dropped.Template, c.Kept.Template, c.Kept.Position, c.Path)
}
