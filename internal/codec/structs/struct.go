package structs

import (
	"reflect"
	"slices"
	"sync"
	"unsafe"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Options configure how messages are read. The zero value is the default.
type Options struct {
	// Alias lets strings and []byte fields point into the input instead of
	// copying it. The input must then stay unchanged for as long as the struct,
	// or anything taken from it, is in use; and a single string keeps all of
	// the input in memory. Default: everything is copied.
	Alias bool
}

// Struct reads and writes the messages of one type as Go values of type T. It is
// immutable and safe for concurrent use.
type Struct[T any] struct{ engine *engine }

// Bind compiles how messages of type md are read into a T and written from it.
// The package documentation has the rules. T is a struct, or one of the Go types
// that stand for a well-known type, such as time.Time.
//
// The error joins all mismatches, in the order of the fields in T.
// Bind is expensive: call it once per type.
func Bind[T any](md protoreflect.MessageDescriptor, opts Options) (*Struct[T], error) {
	g, err := bind(reflect.TypeFor[T](), md, opts)
	if err != nil {
		return nil, err
	}
	return &Struct[T]{g}, nil
}

// Descriptor returns the message type that s was bound to.
func (s *Struct[T]) Descriptor() protoreflect.MessageDescriptor { return s.engine.root.md }

// Unmarshal reads the message b into *v, whatever *v held before. The error is
// an *Error of the kind ErrMalformed or ErrRange, or a *RequiredError, after which
// *v holds all other fields. After any other error *v is undefined.
//
// b may be reused once Unmarshal has returned, unless Options.Alias is set.
func (s *Struct[T]) Unmarshal(b []byte, v *T) error {
	var zero T
	*v = zero
	return s.engine.unmarshal(b, unsafe.Pointer(v))
}

// Append appends the message that v holds to b and returns the extended slice.
// The order of map entries is not defined. The error is an *Error of the kind
// ErrUnencodable, or a *RequiredError; the slice is then b. v must not change
// meanwhile.
func (s *Struct[T]) Append(b []byte, v *T) ([]byte, error) {
	e, err := s.engine.encode(unsafe.Pointer(v))
	if err != nil {
		return b, err
	}
	b = append(b, e.Bytes()...)
	s.engine.release(e)
	return b, nil
}

// Marshal writes v like Append, into a buffer of the exact size. A buffer that is
// large enough to be pooled comes from pool and returns there when it is freed. A
// nil pool means no pool.
func (s *Struct[T]) Marshal(v *T, pool mem.BufferPool) (mem.Buffer, error) {
	e, err := s.engine.encode(unsafe.Pointer(v))
	if err != nil {
		return nil, err
	}
	buf := e.Copy(pool)
	s.engine.release(e)
	return buf, nil
}

// engine is a Struct without its type parameter.
type engine struct {
	root     *plan
	opts     Options
	plans    int // how many blocks and scratch entries a decoder needs
	maps     int
	decoders sync.Pool
	encoders sync.Pool
}

// maxScratch bounds the buffer that is kept for the next message.
const maxScratch = 1 << 20

// unmarshal reads b into the zero value at p.
func (g *engine) unmarshal(b []byte, p unsafe.Pointer) error {
	d, _ := g.decoders.Get().(*decoder)
	if d == nil {
		d = &decoder{alias: g.opts.Alias, blocks: make([]block, g.plans), entries: make([]*entry, g.maps)}
	}
	d.depth, d.left, d.chunk, d.partial, d.group = wire.MaxDepth, len(b), 0, false, 0
	g.root.init(p)
	err := d.sub(g.root, p, b)
	if err != nil {
		// Dropped: its entries may hold what was read.
		if err.Message = g.root.md.FullName(); err.Kind != ErrRange {
			err.Kind = ErrMalformed
		}
		return err
	}
	var missing []string
	if d.partial {
		missing = d.appendMissing(g.root, b, "", nil)
	}
	d.arena, d.used, d.lists, d.listed = nil, 0, nil, 0
	clear(d.blocks)
	g.decoders.Put(d)
	return g.requiredError(missing)
}

func (g *engine) requiredError(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &RequiredError{Message: g.root.md.FullName(), Paths: missing}
}

// encode returns an encoder that has written the value at p.
func (g *engine) encode(p unsafe.Pointer) (*encoder, error) {
	e, _ := g.encoders.Get().(*encoder)
	if e == nil {
		e = &encoder{entries: make([]*entry, g.maps)}
	}
	e.Reset()
	e.depth = wire.MaxDepth
	if err := e.sub(g.root, p); err != nil {
		err.Message = g.root.md.FullName()
		return nil, err
	}
	if len(e.missing) > 0 {
		return nil, g.requiredError(e.missing)
	}
	return e, nil
}

func (g *engine) release(e *encoder) {
	if e.Cap() <= maxScratch {
		g.encoders.Put(e)
	}
}
