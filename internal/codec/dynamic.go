package codec

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// Dynamic is a message of any type, read, changed and built by reflection.
type Dynamic struct{ protoreflect.Message }

// NewDynamic returns an empty message. It uses the compiled type of md in
// types, which may be nil.
func NewDynamic(md protoreflect.MessageDescriptor, types Types) *Dynamic {
	return &Dynamic{dynamicType(md, types).NewMessage()}
}

// Maker makes messages of one type, which it looks up once. The zero Maker is ready
// for use. It is safe for concurrent use.
type Maker struct{ typ atomic.Pointer[dynamic.Type] }

// New calls NewDynamic. The arguments must be the same in each call.
func (k *Maker) New(md protoreflect.MessageDescriptor, types Types) *Dynamic {
	t := k.typ.Load()
	if t == nil {
		t = dynamicType(md, types)
		k.typ.Store(t)
	}
	return &Dynamic{t.NewMessage()}
}

// dynamicType returns the compiled type of md, from types if they have it.
func dynamicType(md protoreflect.MessageDescriptor, types Types) *dynamic.Type {
	if types != nil {
		mt, _ := types.FindMessageByName(md.FullName())
		if t, ok := mt.(*dynamic.Type); ok && t.Descriptor() == md {
			return t
		}
	}
	return new(dynamic.Types).Message(md)
}

// dynamicMessage reads and writes messages of any type.
type dynamicMessage struct {
	name protoreflect.FullName
	opts dynamic.Options
	typ  func() *dynamic.Type // compiles at the first message: most methods are never called
}

// BindDynamic is like Bind for Dynamic.
func BindDynamic(md protoreflect.MessageDescriptor, types Types) Codec[Dynamic] {
	return dynamicMessage{
		name: md.FullName(),
		opts: dynamic.Options{Resolver: types},
		typ:  sync.OnceValue(func() *dynamic.Type { return dynamicType(md, types) }),
	}
}

func (d dynamicMessage) Unmarshal(data mem.BufferSlice) (*Dynamic, error) {
	b, done := contiguous(data)
	defer done()
	m := d.typ().NewMessage()
	if err := d.opts.Unmarshal(b, m); err != nil {
		return nil, err
	}
	return &Dynamic{m}, nil
}

func (d dynamicMessage) Marshal(v *Dynamic) (mem.Buffer, error) {
	if v.Message == nil {
		return nil, errors.New("the Dynamic has no message")
	}
	if got := v.Descriptor().FullName(); got != d.name {
		return nil, fmt.Errorf("it is a %s, not a %s", got, d.name)
	}
	switch m := v.Interface().(type) {
	case *dynamic.Message:
		return d.opts.Marshal(m, pool)
	default:
		return Encode(m)
	}
}

// decodeDynamic reads b into m, and replaces m's content.
func decodeDynamic(b []byte, m *dynamic.Message, types Types) error {
	proto.Reset(m)
	return dynamic.Options{Resolver: types}.Unmarshal(b, m)
}
