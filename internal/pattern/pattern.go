// Package pattern says which methods a registration covers.
package pattern

import (
	"cmp"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Pattern is a parsed pattern: pkg.Service/Method, pkg.Service, pkg.** or **. The
// text of one kind never looks like that of another.
type Pattern struct {
	Text   string // without a leading slash
	kind   kind
	prefix string // of a ** pattern: what a service's full name begins with, "pkg." or ""
}

type kind int

// The kinds, the most specific first.
const (
	method kind = iota
	service
	glob
)

// Parse parses a pattern.
func Parse(text string) (Pattern, error) {
	if prefix, ok := strings.CutSuffix(text, "**"); ok {
		if prefix != "" && (!strings.HasSuffix(prefix, ".") || !validName(strings.TrimSuffix(prefix, "."))) {
			return Pattern{}, fmt.Errorf("pattern %q: ** stands for whole name parts: write pkg.** or **", text)
		}
		return Pattern{Text: text, kind: glob, prefix: prefix}, nil
	}
	name, last, exact := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if !validName(name) || (exact && !protoreflect.Name(last).IsValid()) {
		return Pattern{}, fmt.Errorf("pattern %q is none of pkg.Service/Method, pkg.Service, pkg.** and **", text)
	}
	if exact {
		return Pattern{Text: name + "/" + last, kind: method}, nil
	}
	return Pattern{Text: name, kind: service}, nil
}

func validName(s string) bool { return protoreflect.FullName(s).IsValid() }

// IsGlob reports whether it is a ** pattern.
func (p Pattern) IsGlob() bool { return p.kind == glob }

// Covers reports whether the pattern covers a method.
func (p Pattern) Covers(m protoreflect.MethodDescriptor) bool {
	name := m.Parent().FullName()
	switch p.kind {
	case glob:
		return strings.HasPrefix(string(name), p.prefix)
	case service:
		return p.Text == string(name)
	}
	return p.Text == string(name)+"/"+string(m.Name())
}

// Compare orders patterns, the more specific first: a method, a service, a longer
// prefix, a shorter one.
func Compare(a, b Pattern) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(len(b.prefix), len(a.prefix)), strings.Compare(a.Text, b.Text))
}
