package structs

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// bind compiles the plan for messages of type md in the Go type t.
func bind(t reflect.Type, md protoreflect.MessageDescriptor, opts Options) (*engine, error) {
	b := &binder{plans: map[planKey]*plan{}}
	root := b.plan(t, md)
	if root == nil {
		b.problem("%s cannot hold the message %s: make it a struct", t, md.FullName())
	}
	if len(b.problems) > 0 {
		return nil, b.join()
	}
	b.finish()
	return &engine{root: root, opts: opts, plans: len(b.list), maps: b.maps}, nil
}

// binder compiles the plans of a message and of all that is nested in it.
type binder struct {
	plans    map[planKey]*plan
	list     []*plan
	maps     int
	problems []problem
	at       int // the Go field that is being bound
}

// problem is a mismatch in a Go field of the struct that is being bound.
type problem struct {
	at  int
	err error
}

func (b *binder) join() error {
	all := make([]error, len(b.problems))
	for i, p := range b.problems {
		all[i] = p.err
	}
	return errors.Join(all...)
}

// sortProblems sorts the problems from start on, which were found in one struct, by
// the struct's fields. It then assigns them to the outer field that has the struct.
func (b *binder) sortProblems(start, outer int) {
	found := b.problems[start:]
	slices.SortStableFunc(found, func(a, c problem) int { return cmp.Compare(a.at, c.at) })
	for i := range found {
		found[i].at = outer
	}
	b.at = outer
}

type planKey struct {
	typ  reflect.Type
	name protoreflect.FullName
}

func (b *binder) problem(format string, args ...any) {
	b.problems = append(b.problems, problem{b.at, fmt.Errorf(format, args...)})
}

func (b *binder) newPlan(t reflect.Type, md protoreflect.MessageDescriptor) *plan {
	pl := &plan{md: md, typ: t, slice: reflect.SliceOf(t), size: t.Size(), index: len(b.list)}
	pl.perBlock = maxBlockBytes / max(1, int(pl.size))
	b.list = append(b.list, pl)
	return pl
}

// plan returns the plan for messages of type md in t, or nil if t cannot hold them.
// Problems within t are recorded, and do not make it nil.
func (b *binder) plan(t reflect.Type, md protoreflect.MessageDescriptor) *plan {
	key := planKey{t, md.FullName()}
	if pl := b.plans[key]; pl != nil {
		return pl
	}
	if leaf, ok := b.leafFor(t, md); ok {
		pl := b.newPlan(t, md)
		pl.leaf = leaf
		b.plans[key] = pl
		if v, ok := leaf.(*valueLeaf); ok {
			b.bindValue(v, md)
		}
		return pl
	}
	switch {
	case isMessage(t):
		return nil // generated for another message
	case t.Kind() != reflect.Struct:
		return b.single(key, t, md)
	case opaque(t):
		return nil
	}
	pl := b.newPlan(t, md)
	b.plans[key] = pl
	b.bindStruct(pl)
	return pl
}

// opaque reports whether t is a struct such as time.Time, which has fields but none
// to bind.
func opaque(t reflect.Type) bool {
	for i := range t.NumField() {
		if sf := t.Field(i); sf.IsExported() || sf.Anonymous {
			return false
		}
	}
	return t.NumField() > 0
}

// single makes the plan of a well-known type that has one field, which t holds
// directly: string for a StringValue, []string for a FieldMask.
func (b *binder) single(key planKey, t reflect.Type, md protoreflect.MessageDescriptor) *plan {
	if !hasOneField(md.FullName()) || t.Kind() == reflect.Pointer {
		return nil
	}
	pl := b.newPlan(t, md)
	fd := md.Fields().Get(0)
	fields := make([]field, 1)
	if !b.bindField(pl, &fields[0], fd, t, 0) {
		b.list = b.list[:len(b.list)-1]
		return nil
	}
	b.plans[key] = pl
	pl.fields = fields
	pl.buildTables()
	return pl
}

// hasOneField reports whether a message is a well-known type whose only field
// holds all of its value.
func hasOneField(name protoreflect.FullName) bool {
	switch wellknown.Of(name).Kind {
	case wellknown.Wrapper, wellknown.FieldMask, wellknown.Struct, wellknown.ListValue:
		return true
	}
	return false
}

// fieldMatch is a Go field with its message field.
type fieldMatch struct {
	goField
	fd protoreflect.FieldDescriptor
}

// bindStruct binds the fields of a struct.
func (b *binder) bindStruct(pl *plan) {
	defer b.sortProblems(len(b.problems), b.at)
	matches := b.matchFields(pl)
	required := pl.md.RequiredNumbers()
	bound := map[protowire.Number]bool{}
	for _, c := range matches {
		bound[c.fd.Number()] = true
	}
	fields := make([]field, 0, len(matches)+required.Len())
	for _, c := range matches {
		fields = append(fields, field{})
		f := &fields[len(fields)-1]
		b.at = c.at
		if !b.bindField(pl, f, c.fd, c.typ, c.offset) {
			b.problem("%s.%s (%s) cannot hold %s (%s): make it %s",
				typeName(pl.typ), c.name, c.typ, c.fd.FullName(), describe(c.fd), wants(c.fd))
		}
	}
	for i := range required.Len() {
		if num := required.Get(i); !bound[num] {
			fields = append(fields, unbound(pl.md.Fields().ByNumber(num)))
		}
	}
	slices.SortStableFunc(fields, func(a, c field) int { return cmp.Compare(a.tag>>3, c.tag>>3) })
	pl.fields = fields
	pl.linkRequired()
	pl.linkOneofs()
	pl.buildTables()
}

// linkRequired gives each required field its bit.
func (pl *plan) linkRequired() {
	for i := range pl.fields {
		f := &pl.fields[i]
		if !f.required {
			continue
		}
		pl.required = append(pl.required, required{f.name, protowire.Number(f.tag >> 3)})
		if n := len(pl.required); n <= 64 {
			f.seen = 1 << (n - 1)
			pl.seenAll |= f.seen
		} else {
			pl.manyRequired = true
		}
	}
}

// linkOneofs gives each member of a oneof the list of the others.
func (pl *plan) linkOneofs() {
	members := map[string][]*field{}
	var order []string
	for i := range pl.fields {
		f := &pl.fields[i]
		if f.oneof == "" {
			continue
		}
		if members[f.oneof] == nil {
			order = append(order, f.oneof)
		}
		members[f.oneof] = append(members[f.oneof], f)
	}
	for _, name := range order {
		all := members[name]
		if len(all) < 2 {
			continue
		}
		pl.oneofs = append(pl.oneofs, all)
		for _, f := range all {
			f.rivals = slices.DeleteFunc(slices.Clone(all), func(r *field) bool { return r == f })
			f.makeExclusive()
		}
	}
}

// unbound returns a field for a required field that the struct does not have. Its
// value is dropped, but must be there.
func unbound(fd protoreflect.FieldDescriptor) field {
	f := field{name: string(fd.Name()), required: true, unbound: true}
	f.setTag(fd)
	if fd.Message() == nil && f.wire != protowire.BytesType {
		f.decodeBits = func(*decoder, *field, unsafe.Pointer, uint64) bool { return false }
	} else {
		f.decodeBytes = func(*decoder, *field, unsafe.Pointer, []byte) *Error { return errUnknown }
	}
	f.encode = func(*encoder, *field, unsafe.Pointer) *Error { return nil }
	return f
}
