package schema

import (
	"strings"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/source"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scope is implemented by file and message descriptors.
type scope interface {
	extensible
	Enums() protoreflect.EnumDescriptors
}

// Find returns the declaration with a full name in a file, of any kind; nil if
// the file does not declare it.
func Find(fd protoreflect.FileDescriptor, name protoreflect.FullName) protoreflect.Descriptor {
	rest := string(name)
	if fd.Package() != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, string(fd.Package())+"."); !ok {
			return nil
		}
	}
	head, tail, more := strings.Cut(rest, ".")
	if s := fd.Services().ByName(protoreflect.Name(head)); s != nil {
		if !more {
			return s
		}
		return s.Methods().ByName(protoreflect.Name(tail))
	}
	var in scope = fd
	for more {
		m := in.Messages().ByName(protoreflect.Name(head))
		if m == nil {
			return nil
		}
		in = m
		head, tail, more = strings.Cut(tail, ".")
	}
	return member(in, protoreflect.Name(head))
}

// member returns a direct member of a scope; nil if there is none. The values
// of an enum are members of the enum's scope.
func member(in scope, name protoreflect.Name) protoreflect.Descriptor {
	if m := in.Messages().ByName(name); m != nil {
		return m
	}
	if e := in.Enums().ByName(name); e != nil {
		return e
	}
	if x := in.Extensions().ByName(name); x != nil {
		return x
	}
	if m, ok := in.(protoreflect.MessageDescriptor); ok {
		if f := m.Fields().ByName(name); f != nil {
			return f
		}
		if o := m.Oneofs().ByName(name); o != nil {
			return o
		}
	}
	for i := range in.Enums().Len() {
		if v := in.Enums().Get(i).Values().ByName(name); v != nil {
			return v
		}
	}
	return nil
}

// definition returns the position of a name's declaration in the file.
func definition(file *ir.File, name string) (at source.Span, ok bool) {
	if name == "" {
		return at, false
	}
	sym := file.FindSymbol(ir.FullName(name))
	if sym.IsZero() || sym.Context() == nil {
		return at, false
	}
	at = sym.Definition()
	// Symbols of imports are found too.
	return at, !at.IsZero() && at.Path() == file.AST().Span().Path()
}
