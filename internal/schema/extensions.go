package schema

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// extension is an extension's key, which must be unique in an import closure.
type extension struct {
	extendee protoreflect.FullName
	number   protoreflect.FieldNumber
	name     protoreflect.FullName
	path     string
}

// uniteExtensions checks that no two files of the closure use the same extension
// number.
func (n *node) uniteExtensions(l *linked) (wrong []*diag.Diagnostic) {
	own := extensionsOf(l.desc)
	var with []*linked
	for _, d := range l.deps {
		if len(d.exts) > 0 {
			with = append(with, d)
		}
	}
	if len(own) == 0 && len(with) == 1 {
		l.exts = with[0].exts
		return nil
	}
	type key struct {
		extendee protoreflect.FullName
		number   protoreflect.FieldNumber
	}
	seen := make(map[key]*extension)
	add := func(e *extension) {
		k := key{e.extendee, e.number}
		switch first := seen[k]; {
		case first == nil:
			seen[k] = e
			l.exts = append(l.exts, e)
		case *first != *e:
			wrong = append(wrong, n.extensionClash(first, e))
		}
	}
	for _, d := range with {
		for _, e := range d.exts {
			add(e)
		}
	}
	for _, e := range own {
		add(e)
	}
	return wrong
}

func (n *node) extensionClash(a, b *extension) *diag.Diagnostic {
	const format = "extension number %d of %s is used by both %s (%s) and %s (%s)"
	args := []any{b.number, b.extendee, a.name, a.path, b.name, b.path}
	if b.path == n.path() {
		return n.at(string(b.name), format, args...)
	}
	return n.atImport(b.path, format, args...)
}

func extensionsOf(fd protoreflect.FileDescriptor) (out []*extension) {
	EachExtension(fd, func(x protoreflect.ExtensionDescriptor) {
		out = append(out, &extension{x.ContainingMessage().FullName(), x.Number(), x.FullName(), fd.Path()})
	})
	return out
}

// extensible is a file or a message, in which extensions can be declared.
type extensible interface {
	Messages() protoreflect.MessageDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}

// EachExtension visits the extensions that are declared in a file or message, at
// any depth.
func EachExtension(in extensible, visit func(protoreflect.ExtensionDescriptor)) {
	for i := range in.Extensions().Len() {
		visit(in.Extensions().Get(i))
	}
	for i := range in.Messages().Len() {
		EachExtension(in.Messages().Get(i), visit)
	}
}
