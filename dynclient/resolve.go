package dynclient

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/internal/message"
	"github.com/dyngate/dyngate/internal/schema"
)

// Types returns a resolver of all types of the schema, for what an Any may hold:
// first those of the import closure of a method's file, if m is not nil. It asks
// the server, where reflection is a source, until ctx ends. It must not be used
// concurrently.
func (s *Schema) Types(ctx context.Context, m *Method) Types {
	w := &wideTypes{Types: wellKnown, ctx: ctx, schema: s, unknown: make(map[protoreflect.FullName]bool)}
	if m != nil {
		w.Types = m.Types
	}
	return w
}

// wellKnown resolves the types of google's that the program can tell by itself.
var wellKnown = schema.NewTypes(anypb.File_google_protobuf_any_proto)

// wideTypes resolves the messages that its Types do not have by the whole
// schema.
type wideTypes struct {
	Types
	ctx     context.Context // resolvers are not given one
	schema  *Schema
	unknown map[protoreflect.FullName]bool // asked for already: a list of a thousand is one question
}

func (w *wideTypes) FindMessageByName(name protoreflect.FullName) (protoreflect.MessageType, error) {
	mt, err := w.Types.FindMessageByName(name)
	if err == nil || w.unknown[name] {
		return mt, err
	}
	if sym, _ := w.schema.find(w.ctx, name); sym != nil {
		if md, ok := sym.Descriptor.(protoreflect.MessageDescriptor); ok {
			return dynamicpb.NewMessageType(md), nil
		}
	}
	w.unknown[name] = true
	return nil, err
}

// FindMessageByURL takes the name from the URL's last part.
func (w *wideTypes) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	return w.FindMessageByName(protoreflect.FullName(url[strings.LastIndexByte(url, '/')+1:]))
}

// unpack returns what an Any holds, or the Any itself.
func unpack(a *anypb.Any, types Types) proto.Message {
	mt, err := types.FindMessageByURL(a.GetTypeUrl())
	if err != nil {
		return a
	}
	m := mt.New().Interface()
	if err := message.Decode(a.GetValue(), m, types); err != nil {
		return a
	}
	return m
}
