package schema

import (
	"strings"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/source"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// container is a file or a message.
type container interface {
	extensible
	Enums() protoreflect.EnumDescriptors
}

// findIn finds a message, enum or extension of a file by its full name.
func findIn(fd protoreflect.FileDescriptor, name protoreflect.FullName) protoreflect.Descriptor {
	rest := string(name)
	if fd.Package() != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, string(fd.Package())+"."); !ok {
			return nil
		}
	}
	var in container = fd
	for {
		head, tail, more := strings.Cut(rest, ".")
		if !more {
			return member(in, protoreflect.Name(head))
		}
		m := in.Messages().ByName(protoreflect.Name(head))
		if m == nil {
			return nil
		}
		in, rest = m, tail
	}
}

func member(in container, name protoreflect.Name) protoreflect.Descriptor {
	if m := in.Messages().ByName(name); m != nil {
		return m
	}
	if e := in.Enums().ByName(name); e != nil {
		return e
	}
	if x := in.Extensions().ByName(name); x != nil {
		return x
	}
	return nil
}

// definition finds where the file declares a name.
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
