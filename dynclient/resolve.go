package dynclient

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/schema"
)

// Types returns a resolver of all types and extensions of the schema, for
// example for the content of an Any. The import closure of m's file takes
// precedence, if m is not nil. If reflection is a source, the resolver asks the
// server until ctx ends, for a few hundred names at most, because a hostile
// answer could name any number of types. It must not be used concurrently.
func (s *Schema) Types(ctx context.Context, m *Method) Types {
	w := &wideTypes{
		Types: wellKnown, ctx: ctx, schema: s,
		names: make(map[protoreflect.FullName]protoreflect.Descriptor), extensions: make(map[extensionKey]protoreflect.ExtensionType),
	}
	if m != nil {
		w.Types = m.Types
	}
	return w
}

// wellKnown resolves google.protobuf.Any, which needs no schema.
var wellKnown = schema.NewTypes(anypb.File_google_protobuf_any_proto)

// maxAsked limits the number of types, and of extensions, that one resolver
// looks up in the whole schema.
const maxAsked = 256

// wideTypes looks up in the whole schema the types that its Types do not have.
type wideTypes struct {
	Types
	ctx        context.Context // the methods of Types do not take one
	schema     *Schema
	names      map[protoreflect.FullName]protoreflect.Descriptor // nil if unknown
	extensions map[extensionKey]protoreflect.ExtensionType       // nil if unknown
	dynamic    dynamic.Types
}

type extensionKey struct {
	message protoreflect.FullName
	number  protoreflect.FieldNumber
}

// find returns a declaration of the whole schema; nil if the name is unknown.
func (w *wideTypes) find(name protoreflect.FullName) protoreflect.Descriptor {
	d, known := w.names[name]
	if !known && len(w.names) < maxAsked {
		if sym, _ := w.schema.find(w.ctx, name); sym != nil {
			d = sym.Descriptor
		}
		w.names[name] = d
	}
	return d
}

func (w *wideTypes) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	mt, err := w.Types.FindMessageByName(name)
	if err == nil {
		return mt, nil
	}
	if md, ok := w.find(name).(protoreflect.MessageDescriptor); ok {
		return w.dynamic.Message(md), nil
	}
	return nil, err
}

// FindMessageByURL finds a message by the name after the URL's last slash.
func (w *wideTypes) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	return w.FindMessageByName(protoreflect.FullName(url[strings.LastIndexByte(url, '/')+1:]))
}

func (w *wideTypes) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	xt, err := w.Types.FindExtensionByName(name)
	if err == nil {
		return xt, nil
	}
	if xd, ok := w.find(name).(protoreflect.ExtensionDescriptor); ok && xd.IsExtension() {
		return w.dynamic.Extension(xd), nil
	}
	return nil, err
}

func (w *wideTypes) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	xt, err := w.Types.FindExtensionByNumber(message, number)
	if err == nil {
		return xt, nil
	}
	key := extensionKey{message, number}
	xt, known := w.extensions[key]
	if !known && len(w.extensions) < maxAsked {
		if xd := w.schema.extension(w.ctx, message, number); xd != nil {
			xt = w.dynamic.Extension(xd)
		}
		w.extensions[key] = xt
	}
	if xt == nil {
		return nil, err
	}
	return xt, nil
}

// unpack returns the message in an Any, or the Any itself if it cannot be
// decoded.
func unpack(a *anypb.Any, types Types) proto.Message {
	mt, err := types.FindMessageByURL(a.GetTypeUrl())
	if err != nil {
		return a
	}
	m := mt.New().Interface()
	if err := codec.Decode(a.GetValue(), m, types); err != nil {
		return a
	}
	return m
}
