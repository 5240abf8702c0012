package breaking

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// side is one of the two snapshots.
type side struct {
	snap  *schema.Snapshot
	files []*schema.File // the good ones that are served or imported, by path
}

func newSide(snap *schema.Snapshot) side {
	s := side{snap: snap}
	seen := make(map[string]bool)
	var visit func(f *schema.File)
	visit = func(f *schema.File) {
		if f == nil || f.Descriptor() == nil || seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		s.files = append(s.files, f)
		imports := f.Descriptor().Imports()
		for i := range imports.Len() {
			visit(snap.File(imports.Get(i).Path()))
		}
	}
	for _, f := range snap.Files() {
		visit(f)
	}
	slices.SortFunc(s.files, func(a, b *schema.File) int { return strings.Compare(a.Path(), b.Path()) })
	return s
}

// broken reports whether the file at an import path has errors and so could not be
// compiled.
func (s side) broken(path string) bool {
	f := s.snap.File(path)
	return f != nil && f.Descriptor() == nil
}

// position returns the position of a descriptor of this side.
func (s side) position(d protoreflect.Descriptor) diag.Position {
	f := s.snap.File(d.ParentFile().Path())
	if f == nil {
		return diag.Position{}
	}
	line, column := 0, 0
	if _, whole := d.(protoreflect.FileDescriptor); !whole {
		line, column = f.Position(d)
	}
	return diag.Position{Path: f.Location(), Line: line, Column: column}
}

// declarations are the declarations of files, at any depth, by file.
type declarations struct {
	files      []protoreflect.FileDescriptor
	messages   []protoreflect.MessageDescriptor // without map entries, which are part of their fields
	enums      []protoreflect.EnumDescriptor
	extensions []protoreflect.FieldDescriptor
}

// declarations returns the declarations of this side, without those of files that
// are broken on the other side: they cannot be compared.
func (s side) declarations(other side) declarations {
	var d declarations
	for _, f := range s.files {
		if !other.broken(f.Path()) {
			d.files = append(d.files, f.Descriptor())
			d.add(f.Descriptor())
		}
	}
	return d
}

// container is a file or a message.
type container interface {
	Messages() protoreflect.MessageDescriptors
	Enums() protoreflect.EnumDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}

func (d *declarations) add(in container) {
	for i := range in.Enums().Len() {
		d.enums = append(d.enums, in.Enums().Get(i))
	}
	for i := range in.Extensions().Len() {
		d.extensions = append(d.extensions, in.Extensions().Get(i))
	}
	for i := range in.Messages().Len() {
		if m := in.Messages().Get(i); !m.IsMapEntry() {
			d.messages = append(d.messages, m)
			d.add(m)
		}
	}
}

func nameOf[D protoreflect.Descriptor](d D) string { return string(d.FullName()) }

// extensionOf identifies an extension as the wire does, without its name.
func extensionOf(x protoreflect.FieldDescriptor) string {
	return fmt.Sprintf("%s %d", x.ContainingMessage().FullName(), x.Number())
}

// pairUp pairs declarations with the same key. Files that do not import each other
// may declare the same name, so it first pairs those in files of the same path, then
// the rest in their order.
func pairUp[D interface {
	comparable
	protoreflect.Descriptor
}](old, now []D, key func(D) string) (pairs [][2]D) {
	type place struct{ path, key string }
	at := func(d D) place { return place{d.ParentFile().Path(), key(d)} }
	here := make(map[place]D, len(now))
	for _, d := range now {
		here[at(d)] = d
	}
	var moved []D
	for _, d := range old {
		if n, ok := here[at(d)]; ok {
			pairs = append(pairs, [2]D{d, n})
			delete(here, at(d))
		} else {
			moved = append(moved, d)
		}
	}
	left := make(map[string][]D)
	for _, d := range now {
		if here[at(d)] == d {
			left[key(d)] = append(left[key(d)], d)
		}
	}
	for _, d := range moved {
		if rest := left[key(d)]; len(rest) > 0 {
			pairs = append(pairs, [2]D{d, rest[0]})
			left[key(d)] = rest[1:]
		}
	}
	return pairs
}
