package dynamic

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// list is the value of a repeated field.
type list[T any, E element[T]] struct {
	f         *field
	v         []T  // beyond its length there may be messages that the decoder made in advance
	unchecked bool // it was given a string that is not UTF-8
}

type (
	numberList  = list[uint64, numbers]
	textList    = list[string, texts]
	blobList    = list[[]byte, blobs]
	messageList = list[*Message, messages]
)

func (l *list[T, E]) Len() int      { return len(l.v) }
func (l *list[T, E]) IsValid() bool { return true }

func (l *list[T, E]) Get(i int) protoreflect.Value {
	var e E
	return e.box(l.f, l.v[i])
}

func (l *list[T, E]) Set(i int, v protoreflect.Value) { l.v[i] = l.unbox(v) }

func (l *list[T, E]) Append(v protoreflect.Value) { l.v = append(l.v, l.unbox(v)) }

func (l *list[T, E]) AppendMutable() protoreflect.Value {
	if l.f.class != message {
		panic("dynamic: " + string(l.f.fd.FullName()) + " is not a list of messages")
	}
	v := l.NewElement()
	l.Append(v)
	return v
}

// Truncate drops the elements from n on.
func (l *list[T, E]) Truncate(n int) {
	clear(l.v[n:])
	l.v = l.v[:n]
}

func (l *list[T, E]) NewElement() protoreflect.Value {
	var e E
	return e.box(l.f, e.fresh(l.f))
}

func (l *list[T, E]) unbox(v protoreflect.Value) T {
	var e E
	l.unchecked = l.unchecked || l.f.isInvalid(v)
	return e.unbox(l.f, v)
}

// extend appends the elements of from, a list of the same class.
func (l *list[T, E]) extend(k *maker, from any) {
	var e E
	other := from.(*list[T, E])
	l.unchecked = l.unchecked || other.unchecked
	grown := make([]T, len(l.v), len(l.v)+len(other.v))
	copy(grown, l.v)
	for _, v := range other.v {
		grown = append(grown, e.copyOf(k, v))
	}
	l.v = grown
}

// check returns the index of the first element that must not be written, or -1.
func (l *list[T, E]) check() int {
	var e E
	if l.unchecked {
		for i, v := range l.v {
			if !e.valid(l.f, v) {
				return i
			}
		}
	}
	return -1
}

// growing is a list or map into which others can be merged.
type growing interface {
	container
	extend(k *maker, from any)
}

// newRef returns a new list or map for the field.
func (f *field) newRef() growing {
	if f.shape == mapped {
		return f.newTable()
	}
	switch f.class {
	case number:
		return &numberList{f: f}
	case text:
		return &textList{f: f}
	case blob:
		return &blobList{f: f}
	}
	return &messageList{f: f}
}

// unboxRef returns v as a list or map of the field, or a copy if v belongs to
// another field or implementation. It panics if its elements are of another type.
func (f *field) unboxRef(v protoreflect.Value) any {
	if f.shape == mapped {
		return f.unboxMap(v.Map())
	}
	given := v.List()
	if !given.IsValid() {
		panic("dynamic: " + string(f.fd.FullName()) + " cannot be set to a read-only list")
	}
	if l, ok := given.(interface{ of() *field }); ok && l.of() == f {
		return given
	}
	made := boxRef(f.newRef()).List()
	for i := range given.Len() {
		made.Append(given.Get(i))
	}
	return made
}

func (l *list[T, E]) of() *field { return l.f }

// emptyList is the value of a repeated field without elements.
type emptyList struct{ f *field }

func (emptyList) Len() int      { return 0 }
func (emptyList) IsValid() bool { return false }

func (l emptyList) NewElement() protoreflect.Value {
	return boxRef(l.f.newRef()).List().NewElement()
}

func (l emptyList) Get(int) protoreflect.Value        { panic(l.readOnly()) }
func (l emptyList) Set(int, protoreflect.Value)       { panic(l.readOnly()) }
func (l emptyList) Append(protoreflect.Value)         { panic(l.readOnly()) }
func (l emptyList) AppendMutable() protoreflect.Value { panic(l.readOnly()) }
func (l emptyList) Truncate(int)                      { panic(l.readOnly()) }
func (l emptyList) readOnly() string {
	return "dynamic: the list " + string(l.f.fd.FullName()) + " is empty and read-only"
}
