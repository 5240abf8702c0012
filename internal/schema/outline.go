package schema

import (
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
)

// outline writes a file of a descriptor set as source text. Only the compiler
// reads it, to compile importers of the file, so it leaves out what importers
// cannot see: comments, services and custom options. The file's own descriptor
// is made from the set.
func outline(fd *descriptorpb.FileDescriptorProto) string {
	o := &outliner{fd: fd, proto3: fd.GetSyntax() == "proto3"}
	switch fd.GetSyntax() {
	case "editions":
		o.line("edition = %q;", strings.TrimPrefix(fd.GetEdition().String(), "EDITION_"))
	case "":
		o.line(`syntax = "proto2";`)
	default:
		o.line("syntax = %q;", fd.GetSyntax())
	}
	if fd.GetPackage() != "" {
		o.line("package %s;", fd.GetPackage())
	}
	public := make(map[int]bool)
	for _, i := range fd.GetPublicDependency() {
		public[int(i)] = true
	}
	for i, p := range fd.GetDependency() {
		modifier := ""
		if public[i] {
			modifier = "public "
		}
		o.line("import %s%q;", modifier, p)
	}
	for _, p := range fd.GetOptionDependency() {
		o.line("import option %q;", p)
	}
	o.options(fd.GetOptions())
	groups := o.groups(fd.GetMessageType(), fd.GetExtension())
	for _, m := range fd.GetMessageType() {
		if groups[m.GetName()] == nil {
			o.message(m)
		}
	}
	for _, e := range fd.GetEnumType() {
		o.enum(e)
	}
	o.extensions(fd.GetExtension(), groups)
	return o.out.String()
}

type outliner struct {
	out    strings.Builder
	fd     *descriptorpb.FileDescriptorProto
	proto3 bool
	indent int
}

func (o *outliner) line(format string, args ...any) {
	o.out.WriteString(strings.Repeat("  ", o.indent))
	fmt.Fprintf(&o.out, format, args...)
	o.out.WriteByte('\n')
}

func (o *outliner) block(head string, body func()) {
	o.line("%s {", head)
	o.indent++
	body()
	o.indent--
	o.line("}")
}

func (o *outliner) message(m *descriptorpb.DescriptorProto) {
	o.block(visible(m.GetVisibility())+"message "+m.GetName(), func() { o.body(m) })
}

func visible(v descriptorpb.SymbolVisibility) string {
	if v == descriptorpb.SymbolVisibility_VISIBILITY_UNSET {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(v.String(), "VISIBILITY_")) + " "
}

func (o *outliner) body(m *descriptorpb.DescriptorProto) {
	o.options(m.GetOptions())
	inline := make(map[string]*descriptorpb.DescriptorProto) // map entries and groups
	for _, n := range m.GetNestedType() {
		if n.GetOptions().GetMapEntry() {
			inline[n.GetName()] = n
		}
	}
	groups := o.groups(m.GetNestedType(), m.GetField(), m.GetExtension())
	for _, n := range m.GetNestedType() {
		if inline[n.GetName()] == nil && groups[n.GetName()] == nil {
			o.message(n)
		}
	}
	for _, e := range m.GetEnumType() {
		o.enum(e)
	}
	o.ranges(m)
	o.fields(m, inline, groups)
	o.extensions(m.GetExtension(), groups)
}

// groups finds the messages that are declared by a group field.
func (o *outliner) groups(nested []*descriptorpb.DescriptorProto, lists ...[]*descriptorpb.FieldDescriptorProto) map[string]*descriptorpb.DescriptorProto {
	out := make(map[string]*descriptorpb.DescriptorProto)
	for _, list := range lists {
		for _, f := range list {
			if f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_GROUP {
				continue
			}
			for _, n := range nested {
				if strings.HasSuffix(f.GetTypeName(), "."+n.GetName()) && strings.EqualFold(n.GetName(), f.GetName()) {
					out[n.GetName()] = n
				}
			}
		}
	}
	return out
}

func (o *outliner) ranges(m *descriptorpb.DescriptorProto) {
	for _, r := range m.GetExtensionRange() {
		suffix := ""
		if opts := standardOptions(r.GetOptions()); len(opts) > 0 {
			suffix = " [" + strings.Join(opts, ", ") + "]"
		}
		o.line("extensions %s%s;", span(r.GetStart(), r.GetEnd()-1), suffix)
	}
	for _, r := range m.GetReservedRange() {
		o.line("reserved %s;", span(r.GetStart(), r.GetEnd()-1))
	}
	o.reserved(m.GetReservedName())
}

func span(from, to int32) string { return fmt.Sprintf("%d to %d", from, to) }

func (o *outliner) reserved(names []string) {
	for _, name := range names {
		if o.fd.GetSyntax() == "editions" {
			o.line("reserved %s;", name)
		} else {
			o.line("reserved %q;", name)
		}
	}
}

func (o *outliner) fields(m *descriptorpb.DescriptorProto, maps, groups map[string]*descriptorpb.DescriptorProto) {
	members := make(map[int][]*descriptorpb.FieldDescriptorProto)
	for _, f := range m.GetField() {
		if f.OneofIndex == nil || f.GetProto3Optional() {
			o.field(f, o.label(f), maps, groups)
		} else {
			i := int(f.GetOneofIndex())
			members[i] = append(members[i], f)
		}
	}
	for i, decl := range m.GetOneofDecl() {
		if len(members[i]) == 0 {
			continue // proto3 optional
		}
		o.block("oneof "+decl.GetName(), func() {
			o.options(decl.GetOptions())
			for _, f := range members[i] {
				o.field(f, "", maps, groups)
			}
		})
	}
}

func (o *outliner) label(f *descriptorpb.FieldDescriptorProto) string {
	if l := f.GetLabel(); l != descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL {
		return strings.ToLower(strings.TrimPrefix(l.String(), "LABEL_")) + " "
	}
	if o.fd.GetSyntax() == "editions" || o.proto3 && !f.GetProto3Optional() {
		return ""
	}
	return "optional "
}

func (o *outliner) field(f *descriptorpb.FieldDescriptorProto, label string, maps, groups map[string]*descriptorpb.DescriptorProto) {
	local := f.GetTypeName()[strings.LastIndexByte(f.GetTypeName(), '.')+1:]
	suffix := o.fieldOptions(f)
	if entry := maps[local]; entry != nil && len(entry.GetField()) == 2 {
		o.line("map<%s, %s> %s = %d%s;", typeOf(entry.GetField()[0]), typeOf(entry.GetField()[1]), f.GetName(), f.GetNumber(), suffix)
		return
	}
	if g := groups[local]; g != nil && f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_GROUP {
		o.block(fmt.Sprintf("%sgroup %s = %d%s", label, local, f.GetNumber(), suffix), func() { o.body(g) })
		return
	}
	o.line("%s%s %s = %d%s;", label, typeOf(f), f.GetName(), f.GetNumber(), suffix)
}

func typeOf(f *descriptorpb.FieldDescriptorProto) string {
	if f.GetTypeName() != "" {
		return f.GetTypeName()
	}
	return strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_"))
}

func (o *outliner) fieldOptions(f *descriptorpb.FieldDescriptorProto) string {
	opts := standardOptions(f.GetOptions())
	if f.DefaultValue != nil {
		value := f.GetDefaultValue()
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING {
			value = quote([]byte(value))
		}
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BYTES {
			value = `"` + value + `"` // already escaped
		}
		opts = append(opts, "default = "+value)
	}
	if f.JsonName != nil && f.Extendee == nil {
		opts = append(opts, "json_name = "+quote([]byte(f.GetJsonName())))
	}
	if len(opts) == 0 {
		return ""
	}
	return " [" + strings.Join(opts, ", ") + "]"
}

func (o *outliner) extensions(list []*descriptorpb.FieldDescriptorProto, groups map[string]*descriptorpb.DescriptorProto) {
	for _, f := range list {
		label := o.label(f)
		o.block("extend "+f.GetExtendee(), func() { o.field(f, label, nil, groups) })
	}
}

func (o *outliner) enum(e *descriptorpb.EnumDescriptorProto) {
	o.block(visible(e.GetVisibility())+"enum "+e.GetName(), func() {
		o.options(e.GetOptions())
		for _, r := range e.GetReservedRange() {
			if r.GetEnd() == math.MaxInt32 {
				o.line("reserved %d to max;", r.GetStart())
			} else {
				o.line("reserved %s;", span(r.GetStart(), r.GetEnd()))
			}
		}
		o.reserved(e.GetReservedName())
		for _, v := range e.GetValue() {
			suffix := ""
			if opts := standardOptions(v.GetOptions()); len(opts) > 0 {
				suffix = " [" + strings.Join(opts, ", ") + "]"
			}
			o.line("%s = %d%s;", v.GetName(), v.GetNumber(), suffix)
		}
	})
}
