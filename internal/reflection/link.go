package reflection

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// link is the result of linking a file.
type link struct {
	desc  protoreflect.FileDescriptor
	types *schema.Types
	err   error
	depth int // of imports
	ways  int // paths along public imports

	active  bool                // its imports are being linked
	replace map[string][]string // replacements of imports that the server lacks
	add     []string            // imports that the file should have
}

// Link returns the file's descriptor, without comments. The first call links
// the file and its imports. Link stops when ctx ends.
func (f *File) Link(ctx context.Context) (protoreflect.FileDescriptor, error) {
	r := f.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	l := linker{store: &r.store, ctx: ctx}
	if err := l.link(f); err != nil {
		return nil, err
	}
	return f.link.desc, nil
}

// Types returns a resolver of the file's import closure; nil if the file is not
// linked.
func (f *File) Types() *schema.Types {
	f.reader.mu.Lock()
	defer f.reader.mu.Unlock()
	if f.link.types == nil && f.link.desc != nil {
		f.link.types = schema.NewTypes(f.link.desc)
	}
	return f.link.types
}

type linker struct {
	*store
	ctx  context.Context
	path []*File // from the requested file to the one being linked
}

// link links a file after its imports. It stores the result unless ctx has
// ended.
func (l *linker) link(f *File) error {
	switch {
	case f.link.desc != nil || f.link.err != nil:
		return f.link.err
	case l.ctx.Err() != nil:
		return contextError(l.ctx)
	case f.link.active:
		return l.cycle(f)
	case len(l.path) > l.limits.Depth:
		return fmt.Errorf("the depth of its imports is more than %d", l.limits.Depth)
	}
	f.link = link{active: true}
	l.path = append(l.path, f)
	err := l.make(f)
	l.path = l.path[:len(l.path)-1]
	f.link.active = false
	if err != nil && l.ctx.Err() != nil {
		return contextError(l.ctx)
	}
	f.link.err = err
	return err
}

// cycle names at most ten files of a cycle of imports.
func (l *linker) cycle(f *File) error {
	var b strings.Builder
	b.WriteString("import cycle: ")
	cycle := l.path[slices.Index(l.path, f):]
	for _, file := range cycle[:min(len(cycle), 10)] {
		b.WriteString(file.path + " -> ")
	}
	if len(cycle) > 10 {
		fmt.Fprintf(&b, "%d more files -> ", len(cycle)-10)
	}
	return errors.New(b.String() + f.path)
}

func (l *linker) make(f *File) error {
	fd, err := l.parse(f)
	if err != nil {
		return err
	}
	seen := newScope(l.ctx)
	if err := l.imports(f, fd, seen); err != nil {
		return err
	}
	f.link.apply(fd)
	if f.link.depth > l.limits.Depth {
		return fmt.Errorf("the depth of its imports is more than %d", l.limits.Depth)
	}
	if f.link.desc, err = build(fd, seen); err != nil {
		return err
	}
	l.linked[f.link.desc] = f
	for _, i := range fd.GetPublicDependency() {
		f.link.ways = min(f.link.ways+1+l.waysOf(seen.byPath[fd.GetDependency()[i]]), maxWays+1)
	}
	if f.link.ways > maxWays {
		f.link.desc = nil
		return tooMuch("its files import each other publicly in too many ways")
	}
	return nil
}

func (l *linker) waysOf(fd protoreflect.FileDescriptor) int {
	if f := l.linked[fd]; f != nil {
		return f.link.ways
	}
	return 0
}

// build makes a descriptor.
func build(fd *descriptorpb.FileDescriptorProto, seen *scope) (desc protoreflect.FileDescriptor, err error) {
	defer func() {
		if p := recover(); p != nil {
			desc, err = nil, fmt.Errorf("%s is malformed: %v", fd.GetName(), p)
		}
	}()
	if desc, err = protodesc.NewFile(fd, seen); err != nil {
		return nil, fmt.Errorf("%s: %s", fd.GetName(), diag.Clip(runtimePrefix.ReplaceAllString(err.Error(), "")))
	}
	return desc, nil
}

// The runtime varies the space after its prefix, to keep programs from relying on it.
var runtimePrefix = regexp.MustCompile(`^proto:[\s\x{a0}]*`)

// parse reads a file without its comments, unless it declares too much.
func (l *linker) parse(f *File) (*descriptorpb.FileDescriptorProto, error) {
	content, _ := split(f.raw)
	n, ok := countFields(content, fileDescriptor, maxNesting)
	if !ok {
		return nil, errMalformed
	}
	if n > l.limits.Declarations/8 {
		return nil, tooMuch("%s is too large: it has more than %d declarations", f.path, l.limits.Declarations/8)
	}
	if l.declared += n; l.declared > l.limits.Declarations {
		return nil, l.exceed(tooMuch("the server's files are too large: they have more than %d declarations", l.limits.Declarations))
	}
	fd, err := unmarshal(content)
	if err != nil {
		return nil, err
	}
	if schema.NameBytes(fd) > l.limits.FullNameBytes {
		return nil, tooMuch("the names in %s are too long: more than %d bytes", f.path, l.limits.FullNameBytes)
	}
	return fd, nil
}

// unmarshal reads a file. Custom options remain unparsed if the program knows
// other options by their numbers.
func unmarshal(content []byte) (*descriptorpb.FileDescriptorProto, error) {
	fd := new(descriptorpb.FileDescriptorProto)
	if proto.Unmarshal(content, fd) == nil {
		return fd, nil
	}
	proto.Reset(fd)
	if (proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}).Unmarshal(content, fd) != nil {
		return nil, errMalformed
	}
	return fd, nil
}

// split separates the comments, which are most of a file, from the rest.
func split(raw []byte) (content, comments []byte) {
	content = make([]byte, 0, len(raw)/2)
	for b := raw; len(b) > 0; {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return raw, nil
		}
		m := protowire.ConsumeFieldValue(num, typ, b[n:])
		if m < 0 {
			return raw, nil
		}
		if num == 9 {
			comments = append(comments, b[:n+m]...)
		} else {
			content = append(content, b[:n+m]...)
		}
		b = b[n+m:]
	}
	return content, comments
}

var fileDescriptor = new(descriptorpb.FileDescriptorProto).ProtoReflect().Descriptor()

// countFields counts the fields of a message and of its nested messages. ok
// reports whether the message is well-formed and not deeper than depth.
func countFields(b []byte, md protoreflect.MessageDescriptor, depth int) (count int, ok bool) {
	if depth == 0 {
		return 0, false
	}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, false
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return 0, false
		}
		count++
		if fd := md.Fields().ByNumber(num); fd != nil && fd.Message() != nil && typ == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(b)
			below, ok := countFields(inner, fd.Message(), depth-1)
			if !ok {
				return 0, false
			}
			count += below
		}
		b = b[n:]
	}
	return count, true
}
