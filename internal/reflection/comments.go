package reflection

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// WithComments returns a view of a descriptor that Link returned, or of a file that
// it imports, that has the comments and positions that the server sent. Without
// comments it is fd itself.
func (r *Reader) WithComments(fd protoreflect.FileDescriptor) protoreflect.FileDescriptor {
	r.mu.Lock()
	f := r.store.linked[fd]
	r.mu.Unlock()
	if f == nil {
		return fd
	}
	if info := f.sourceInfo(); info != nil {
		return schema.WithSourceInfo(fd, info)
	}
	return fd
}

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
