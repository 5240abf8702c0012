package reflection

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// WithComments returns a view of a descriptor from Link, or of one of its
// imports, with the comments and positions that the server sent. Without
// comments it is fd itself.
func (r *Reader) WithComments(fd protoreflect.FileDescriptor) protoreflect.FileDescriptor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.store.commented; last.of == fd {
		return last.view
	}
	f := r.store.linked[fd]
	if f == nil {
		return fd
	}
	info := f.sourceInfo()
	if info == nil {
		return fd
	}
	view := schema.WithSourceInfo(fd, info)
	r.store.commented = commented{of: fd, view: view}
	return view
}

// commented is a file and its view with comments. The reader caches the last
// one, because several declarations of a file are often shown one after the
// other.
type commented struct{ of, view protoreflect.FileDescriptor }

// sourceInfo reads the comments of a file; nil if there are none, or too many.
func (f *File) sourceInfo() *descriptorpb.SourceCodeInfo {
	_, comments := split(f.raw)
	n, ok := countFields(comments, fileDescriptor, maxNesting)
	if !ok || n == 0 || n > f.reader.limits.Declarations/8 {
		return nil
	}
	fd := new(descriptorpb.FileDescriptorProto)
	if proto.Unmarshal(comments, fd) != nil {
		return nil
	}
	return fd.GetSourceCodeInfo()
}
