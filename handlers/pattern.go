package handlers

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// pattern is a parsed registration pattern. A method's name, a service's name
// and a ** pattern never look alike, so its text says which of them it is.
type pattern struct {
	text   string
	glob   bool
	prefix string // of a ** pattern: what a service's full name begins with, "pkg." or ""
}

// parsePattern parses what [Registry.Handle] documents.
func parsePattern(text string) (pattern, error) {
	if prefix, ok := strings.CutSuffix(text, "**"); ok {
		if prefix != "" && (!strings.HasSuffix(prefix, ".") || !validName(strings.TrimSuffix(prefix, "."))) {
			return pattern{}, fmt.Errorf("pattern %q: ** stands for whole name parts: write pkg.** or **", text)
		}
		return pattern{text: text, glob: true, prefix: prefix}, nil
	}
	service, method, exact := strings.Cut(strings.TrimPrefix(text, "/"), "/")
	if !validName(service) || (exact && !protoreflect.Name(method).IsValid()) {
		return pattern{}, fmt.Errorf("pattern %q is none of pkg.Service/Method, pkg.Service, pkg.** and **", text)
	}
	if exact {
		return pattern{text: service + "/" + method}, nil
	}
	return pattern{text: service}, nil
}

func validName(s string) bool { return protoreflect.FullName(s).IsValid() }

// covers reports whether a ** pattern covers a service.
func (p pattern) covers(service protoreflect.FullName) bool {
	return strings.HasPrefix(string(service), p.prefix)
}
