package schema

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// Types resolves messages, enums and extensions of one file's import closure. It is a
// resolver for proto, protojson and prototext.
//
// Its types are dynamic. Names that the closure does not declare are looked up in the types linked
// into the binary, if they are in a package that ships with dyngate.
type Types struct {
	root protoreflect.FileDescriptor

	index    sync.Once
	files    []protoreflect.FileDescriptor
	exts     map[protoreflect.FullName][]protoreflect.ExtensionType
	byNumber map[extensionKey]protoreflect.ExtensionType

	messages sync.Map // protoreflect.FullName -> *dynamic.Type
	dynamic  dynamic.Types

	planning sync.Once
	plans    *transcode.Plans
}

var (
	_ protoregistry.MessageTypeResolver   = (*Types)(nil)
	_ protoregistry.ExtensionTypeResolver = (*Types)(nil)
)

type extensionKey struct {
	message protoreflect.FullName
	number  protoreflect.FieldNumber
}

// NewTypes returns a resolver for the import closure of a file that was linked
// elsewhere. For a [File], use File.Types.
func NewTypes(root protoreflect.FileDescriptor) *Types { return &Types{root: root} }

// JSONPlans returns the plans that transcode messages of the closure from and to JSON.
func (t *Types) JSONPlans() *transcode.Plans {
	t.planning.Do(func() { t.plans = transcode.NewPlans(t) })
	return t.plans
}

// prepare lists the closure and its extensions.
func (t *Types) prepare() {
	t.index.Do(func() {
		t.exts = make(map[protoreflect.FullName][]protoreflect.ExtensionType)
		t.byNumber = make(map[extensionKey]protoreflect.ExtensionType)
		seen := make(map[string]bool)
		var visit func(fd protoreflect.FileDescriptor)
		visit = func(fd protoreflect.FileDescriptor) {
			if seen[fd.Path()] || fd.IsPlaceholder() {
				return
			}
			seen[fd.Path()] = true
			t.files = append(t.files, fd)
			EachExtension(fd, func(x protoreflect.ExtensionDescriptor) {
				name := x.ContainingMessage().FullName()
				xt := t.dynamic.Extension(x)
				t.exts[name] = append(t.exts[name], xt)
				if key := (extensionKey{name, x.Number()}); t.byNumber[key] == nil {
					t.byNumber[key] = xt
				}
			})
			for i := range fd.Imports().Len() {
				visit(fd.Imports().Get(i).FileDescriptor)
			}
		}
		visit(t.root)
	})
}

// has reports whether a file is in the closure.
func (t *Types) has(path string) bool {
	t.prepare()
	return slices.ContainsFunc(t.files, func(fd protoreflect.FileDescriptor) bool { return fd.Path() == path })
}

// FindMessageByName implements protoregistry.MessageTypeResolver.
func (t *Types) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	if mt, ok := t.messages.Load(name); ok {
		return mt.(protoreflect.MessageType), nil
	}
	t.prepare()
	for _, fd := range t.files {
		if md, ok := Find(fd, name).(protoreflect.MessageDescriptor); ok {
			mt, _ := t.messages.LoadOrStore(name, t.dynamic.Message(md))
			return mt.(protoreflect.MessageType), nil
		}
	}
	if Ships(string(name)) {
		return protoregistry.GlobalTypes.FindMessageByName(name)
	}
	return nil, protoregistry.NotFound
}

// FindMessageByURL implements protoregistry.MessageTypeResolver.
func (t *Types) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	return t.FindMessageByName(protoreflect.FullName(url[strings.LastIndexByte(url, '/')+1:]))
}

// FindExtensionByName implements protoregistry.ExtensionTypeResolver.
func (t *Types) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	t.prepare()
	for _, list := range t.exts {
		for _, x := range list {
			if x.TypeDescriptor().FullName() == name {
				return x, nil
			}
		}
	}
	return nil, protoregistry.NotFound
}

// FindExtensionByNumber implements protoregistry.ExtensionTypeResolver.
func (t *Types) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	t.prepare()
	if xt := t.byNumber[extensionKey{message, number}]; xt != nil {
		return xt, nil
	}
	return nil, protoregistry.NotFound
}

// RangeExtensionsByMessage calls visit for each extension of a message until it returns false.
func (t *Types) RangeExtensionsByMessage(message protoreflect.FullName, visit func(protoreflect.ExtensionType) bool) {
	t.prepare()
	for _, x := range t.exts[message] {
		if !visit(x) {
			return
		}
	}
}
