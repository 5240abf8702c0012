package structs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/nearest"
)

// goField is a field of a struct, or of one that is embedded in it.
type goField struct {
	name   string // with the embedded structs that lead to it
	tag    string // the message field that the tag names
	typ    reflect.Type
	offset uintptr
	depth  int
	at     int // its position among them
}

// goFields lists the fields of t that need a message field, in their order.
func (b *binder) goFields(pl *plan, t reflect.Type, prefix string, offset uintptr, depth int) []goField {
	var out []goField
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, option, _ := strings.Cut(sf.Tag.Get("proto"), ",")
		embedded := sf.Anonymous && tag == "" && structUnder(sf.Type)
		name := prefix + sf.Name
		start := offset + sf.Offset
		b.at++
		switch {
		case tag == "-" || sf.Name == "_":
		case embedded && sf.Type.Kind() == reflect.Pointer:
			b.problem("%s.%s is embedded by pointer: embed the struct itself, or tag it with the message field that it holds", typeName(pl.typ), name)
		case embedded:
			out = append(out, b.goFields(pl, sf.Type, name+".", start, depth+1)...)
		case !sf.IsExported():
			if tag != "" || option != "" {
				b.problem("%s.%s has a proto tag but is not exported: export it or drop the tag", typeName(pl.typ), name)
			}
		case option == "unknown" && tag == "":
			b.bindUnknown(pl, sf, name, start)
		case option != "":
			b.problem(`%s.%s: its tag has the unknown option %q: the only one is proto:",unknown"`, typeName(pl.typ), name, option)
		default:
			out = append(out, goField{name, tag, sf.Type, start, depth, b.at})
		}
	}
	return out
}

func structUnder(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && !opaque(t)
}

func (b *binder) bindUnknown(pl *plan, sf reflect.StructField, name string, at uintptr) {
	switch {
	case sf.Type.Kind() != reflect.Slice || sf.Type.Elem().Kind() != reflect.Uint8:
		b.problem("%s.%s (%s) cannot hold unknown fields: make it []byte", typeName(pl.typ), name, sf.Type)
	case pl.keepsUnknown:
		b.problem("%s.%s: another field holds the unknown fields already", typeName(pl.typ), name)
	}
	pl.keepsUnknown, pl.unknown = true, at
}

// matchFields finds the message field of each Go field.
func (b *binder) matchFields(pl *plan) []fieldMatch {
	var out []fieldMatch
	for _, g := range b.goFields(pl, pl.typ, "", 0, 0) {
		b.at = g.at
		fd, problem := findField(pl.md, g)
		if problem != "" {
			b.problem("%s.%s %s", typeName(pl.typ), g.name, problem)
			continue
		}
		i := slices.IndexFunc(out, func(c fieldMatch) bool { return c.fd == fd })
		switch {
		case i < 0:
			out = append(out, fieldMatch{g, fd})
		case out[i].depth == g.depth:
			b.problem("%s.%s and %[1]s.%[3]s are both bound to %s: tag one of them with another name, or with \"-\"",
				typeName(pl.typ), out[i].name, g.name, fd.FullName())
		case out[i].depth > g.depth:
			out[i] = fieldMatch{g, fd} // as in Go, the outer field hides the embedded one
		}
	}
	return out
}

// findField returns the message field for a Go field, or what is wrong with the Go
// field.
func findField(md protoreflect.MessageDescriptor, g goField) (protoreflect.FieldDescriptor, string) {
	fields := md.Fields()
	if g.tag != "" {
		if fd := fields.ByName(protoreflect.Name(g.tag)); fd != nil {
			return fd, ""
		}
		if fd := fields.ByJSONName(g.tag); fd != nil {
			return fd, ""
		}
		return nil, fmt.Sprintf("is tagged %q, which is not a field of %s%s", g.tag, md.FullName(), suggest(md, g.tag))
	}
	short := g.name[strings.LastIndexByte(g.name, '.')+1:]
	var found []protoreflect.FieldDescriptor
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fold(string(fd.Name())) == fold(short) || fold(fd.JSONName()) == fold(short) {
			found = append(found, fd)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Sprintf("matches no field of %s%s: rename it, or tag it `proto:\"-\"`", md.FullName(), suggest(md, short))
	case 1:
		return found[0], ""
	}
	return nil, fmt.Sprintf("matches both %s and %s: tag it with one of them", found[0].FullName(), found[1].FullName())
}

// fold returns a name as names are compared: in lower case, without underscores.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// suggest returns the message fields that may have been meant, as the end of an
// error.
func suggest(md protoreflect.MessageDescriptor, name string) string {
	names := make([]string, md.Fields().Len())
	for i := range names {
		names[i] = string(md.Fields().Get(i).Name())
	}
	if len(names) == 0 {
		return ", which has no fields"
	}
	if near := nearest.Names(name, names, 3); len(near) > 0 {
		return nearest.DidYouMean(near)
	}
	return " (it has " + strings.Join(names[:min(len(names), 8)], ", ") + ")"
}

// typeName returns the name of a Go type for errors, without its package.
func typeName(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return "struct"
}
