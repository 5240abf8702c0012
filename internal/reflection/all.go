package reflection

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// All reads the files of all services and their imports, with comments. Each
// file comes after its imports, and files that the server lacks are filled in,
// so the set can be linked unchanged.
//
// The error joins those of the services that cannot be read; the set holds the
// files of the others. The set is nil if the list of services cannot be read.
func (r *Reader) All(ctx context.Context) (*descriptorpb.FileDescriptorSet, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limits.Time)
	defer cancel()
	names, err := r.Services(ctx)
	if err != nil {
		return nil, err
	}
	files, err := r.Files(ctx, names)
	failed := []error{err}
	b := builder{reader: r, kept: make(map[string]protoreflect.FileDescriptor), set: new(descriptorpb.FileDescriptorSet)}
	var unknown []string
	for _, name := range names {
		f, asked := files[name]
		if f == nil {
			if asked {
				unknown = append(unknown, string(name))
			}
			continue
		}
		fd, err := f.Link(ctx)
		if err == nil {
			err = b.add(fd)
		}
		if ctx.Err() != nil {
			return b.set, contextError(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("service %s: %w", name, err))
		}
	}
	if len(unknown) > 0 {
		failed = append(failed, fmt.Errorf("listed, but not declared: %s", strings.Join(unknown[:min(len(unknown), 10)], ", ")))
	}
	return b.set, Join(failed...)
}

// builder makes a set.
type builder struct {
	reader *Reader
	set    *descriptorpb.FileDescriptorSet
	kept   map[string]protoreflect.FileDescriptor // files in the set
}

// add adds a file after its imports. It adds none of them if the set has
// another version of one.
func (b *builder) add(fd protoreflect.FileDescriptor) error {
	var added []protoreflect.FileDescriptor
	seen := make(map[protoreflect.FileDescriptor]bool)
	var visit func(fd protoreflect.FileDescriptor) error
	visit = func(fd protoreflect.FileDescriptor) error {
		if seen[fd] || fd.IsPlaceholder() || b.kept[fd.Path()] == fd {
			return nil
		}
		seen[fd] = true
		if b.kept[fd.Path()] != nil || slices.ContainsFunc(added, func(o protoreflect.FileDescriptor) bool { return o.Path() == fd.Path() }) {
			return fmt.Errorf("the server sent two versions of %s", fd.Path())
		}
		for i := range fd.Imports().Len() {
			if err := visit(fd.Imports().Get(i).FileDescriptor); err != nil {
				return err
			}
		}
		added = append(added, fd)
		return nil
	}
	if err := visit(fd); err != nil {
		return err
	}
	for _, fd := range added {
		b.kept[fd.Path()] = fd
		b.set.File = append(b.set.File, protodesc.ToFileDescriptorProto(b.reader.WithComments(fd)))
	}
	return nil
}
