package schema

import (
	"github.com/bufbuild/protocompile/experimental/fdp"
	"github.com/bufbuild/protocompile/experimental/ir"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
)

// Encode returns the file as the bytes of a FileDescriptorProto, with positions and comments if the file
// has them; nil while the file is broken. It takes less than encoding DescriptorWithComments, and keeps
// nothing.
func (f *File) Encode() ([]byte, error) {
	if f.linked == nil {
		return nil, nil
	}
	if content := f.encodeWithComments(); content != nil {
		return content, nil
	}
	return proto.Marshal(protodesc.ToFileDescriptorProto(f.linked.desc))
}

// encodeWithComments returns nil if the file has no comments.
func (f *File) encodeWithComments() (content []byte) {
	file := f.source.Load()
	if !f.comments || file == nil && f.input.proto.GetSourceCodeInfo() == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			content = nil // comments are not worth a crash
		}
	}()
	var err error
	if file != nil {
		content, err = encode(file)
	} else {
		content, err = proto.Marshal(f.input.proto)
	}
	if err != nil {
		return nil
	}
	return content
}

// encode returns the descriptor proto of a compiled file, with comments.
func encode(file *ir.File) ([]byte, error) {
	for decl := range file.AST().Imports() {
		if decl.IsOption() { // the compiler's bytes are wrong: see mendPublicImports
			fd, _, err := describe(file, true)
			if err != nil {
				return nil, err
			}
			return proto.Marshal(fd)
		}
	}
	return fdp.DescriptorProtoBytes(file, fdp.IncludeSourceCodeInfo(true))
}
