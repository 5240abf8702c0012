package schema

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"

	"github.com/bufbuild/protocompile/experimental/fdp"
	"github.com/bufbuild/protocompile/experimental/ir"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
)

// linked is a file's descriptor and data derived from it. Files with the same meaning share it.
type linked struct {
	desc   protoreflect.FileDescriptor
	digest [sha256.Size]byte // of the descriptor's bytes
	deps   []*linked         // in the order of imports, including option imports
	exts   []*extension      // of the import closure
	types  *Types
}

// link makes the descriptor of a node whose closure has no errors. It returns the previous
// descriptor if that has the same meaning.
func (n *node) link() (made *linked, wrong []*diag.Diagnostic) {
	defer func() {
		if p := recover(); p != nil {
			made, wrong = nil, []*diag.Diagnostic{panicked(n.in.location, p)}
		}
	}()
	fd, digest, err := n.describe()
	if err != nil {
		return nil, []*diag.Diagnostic{n.at("", "%v", err)}
	}
	l := &linked{digest: digest}
	for _, ref := range n.imports {
		if ref.node != nil && ref.node.file != nil && ref.node.file.linked != nil {
			l.deps = append(l.deps, ref.node.file.linked)
		}
	}
	if n.prior.same(l) {
		return n.prior, nil
	}
	if wrong := n.checkSupported(fd); len(wrong) > 0 {
		return nil, wrong
	}
	l.desc, err = protodesc.NewFile(fd, newImports(l.deps))
	if err != nil {
		return nil, []*diag.Diagnostic{n.runtimeError(err)}
	}
	if wrong := n.uniteExtensions(l); len(wrong) > 0 {
		return nil, wrong
	}
	l.types = NewTypes(l.desc)
	return l, nil
}

// same reports whether l has the same meaning as other, which has no descriptor yet.
func (l *linked) same(other *linked) bool {
	return l != nil && l.digest == other.digest && slices.Equal(l.deps, other.deps)
}

// describe returns the descriptor proto of a node, without comments.
func (n *node) describe() (*descriptorpb.FileDescriptorProto, [sha256.Size]byte, error) {
	if set := n.in.proto; set != nil {
		bare := proto.CloneOf(set)
		bare.SourceCodeInfo = nil
		content, err := proto.MarshalOptions{Deterministic: true}.Marshal(bare)
		return bare, sha256.Sum256(content), err
	}
	fd, content, err := describe(n.ir, false)
	return fd, sha256.Sum256(content), err
}

// describe returns the descriptor proto of a compiled file. It encodes and
// decodes it, because the compiler writes all options as unknown fields.
func describe(file *ir.File, comments bool) (*descriptorpb.FileDescriptorProto, []byte, error) {
	content, err := fdp.DescriptorProtoBytes(file, fdp.IncludeSourceCodeInfo(comments))
	if err != nil {
		return nil, nil, err
	}
	fd, err := unmarshalFile(content)
	if err != nil {
		return nil, nil, err
	}
	fixPublicImports(file, fd)
	return fd, content, nil
}

// fixPublicImports corrects the indexes of public imports: the compiler also
// counts option imports, which are in another list.
func fixPublicImports(file *ir.File, fd *descriptorpb.FileDescriptorProto) {
	if len(fd.GetOptionDependency()) == 0 {
		return
	}
	fd.PublicDependency = nil
	for i, p := range fd.GetDependency() {
		for decl := range file.AST().Imports() {
			if decl.IsPublic() && ir.CanonicalizeFilePath(decl.ImportPath().AsLiteral().AsString().Text()) == p {
				fd.PublicDependency = append(fd.PublicDependency, int32(i)) //nolint:gosec // an index
			}
		}
	}
}

// checkSupported reports declarations that the compiler accepts but dyngate cannot serve.
func (n *node) checkSupported(fd *descriptorpb.FileDescriptorProto) (wrong []*diag.Diagnostic) {
	var visit func(scope string, list []*descriptorpb.DescriptorProto)
	visit = func(scope string, list []*descriptorpb.DescriptorProto) {
		for _, m := range list {
			name := m.GetName()
			if scope != "" {
				name = scope + "." + name
			}
			if m.GetOptions().GetMessageSetWireFormat() {
				wrong = append(wrong, n.at(name, "message %q uses message_set_wire_format, a format of proto1 that the Go "+
					"runtime does not support; use google.protobuf.Any or an ordinary extension range", name))
			}
			visit(name, m.GetNestedType())
		}
	}
	visit(fd.GetPackage(), fd.GetMessageType())
	return wrong
}

var quoted = regexp.MustCompile(`"([A-Za-z_][\w.]*)"`)

// runtimeError returns a diagnostic for an error of the Go runtime, with the position of the
// declaration that the error names.
func (n *node) runtimeError(err error) *diag.Diagnostic {
	name := ""
	if m := quoted.FindStringSubmatch(err.Error()); m != nil {
		name = m[1]
	}
	// The runtime varies the space after its prefix, so that programs do not depend on it.
	return n.at(name, "the Go protobuf runtime refuses this file: %v", trimRuntime(err))
}

func trimRuntime(err error) string {
	return regexp.MustCompile(`^proto:[\s\x{a0}]*`).ReplaceAllString(err.Error(), "")
}

// at returns an error about a declaration of the file; its position is the top of the file if the
// declaration's is unknown.
func (n *node) at(name, format string, args ...any) *diag.Diagnostic {
	file := n.ir
	if n.in.proto != nil {
		file = nil // it was compiled from an outline
	}
	return errorAt(n.in, file, name, format, args...)
}

// errorAt returns an error about a declaration of an input, whose compiled file may be
// nil.
func errorAt(in *input, file *ir.File, name, format string, args ...any) *diag.Diagnostic {
	if file != nil {
		if at, ok := definition(file, name); ok {
			return pointed(at, format, args...)
		}
	}
	d := problem(in.location, format, args...)
	if in.text != nil {
		d.Line, d.Column = 1, 1
		d.Text = fmt.Sprintf("error: %s\n --> %s:1:1\n", d.Message, in.location)
	}
	return d
}

// atImport returns an error about the import by which the file directly or
// indirectly imports path.
func (n *node) atImport(path, format string, args ...any) *diag.Diagnostic {
	for _, ref := range n.imports {
		if ref.node == nil || ref.node.file == nil || n.in.proto != nil {
			continue
		}
		if t := ref.node.file.Types(); t != nil && t.has(path) {
			return pointed(ref.decl.Span(), format, args...)
		}
	}
	return n.at("", format, args...)
}

// imports resolves the names that one file may use, for protodesc.
type imports struct {
	byPath map[string]protoreflect.FileDescriptor
	files  []protoreflect.FileDescriptor // imported, directly or through public imports
}

func newImports(deps []*linked) *imports {
	i := &imports{byPath: make(map[string]protoreflect.FileDescriptor)}
	seen := make(map[string]bool)
	var add func(fd protoreflect.FileDescriptor)
	add = func(fd protoreflect.FileDescriptor) {
		if seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		i.files = append(i.files, fd)
		for j := range fd.Imports().Len() {
			if imp := fd.Imports().Get(j); imp.IsPublic {
				add(imp.FileDescriptor)
			}
		}
	}
	for _, d := range deps {
		i.byPath[d.desc.Path()] = d.desc
		add(d.desc)
	}
	return i
}

func (i *imports) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if fd := i.byPath[path]; fd != nil {
		return fd, nil
	}
	return nil, protoregistry.NotFound
}

func (i *imports) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	for _, fd := range i.files {
		if d := Find(fd, name); d != nil {
			return d, nil
		}
	}
	return nil, protoregistry.NotFound
}
