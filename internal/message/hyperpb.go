//go:build amd64 || arm64

package message

import (
	"fmt"

	"buf.build/go/hyperpb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// newParser parses with hyperpb, which is many times as fast as dynamicpb and
// not open to its panics. A message type beyond hyperpb's limits is left to
// dynamicpb, and so is what hyperpb refuses, for it refuses the largest field
// numbers as well.
//
// hyperpb's limit of nesting does not count messages that end where the one
// around them ends. What reads such a message would recurse to any depth, and a
// stack that overflows is the end of the process: hence the second look at
// types that can be that deep.
func newParser(md protoreflect.MessageDescriptor, types Types) parser {
	canBeDeep, large := survey(md, MaxDepth)
	second := newDynamicpbParser(md, types, canBeDeep)
	if large { // hyperpb's compiler would recurse until the stack overflows
		return second
	}
	ty, err := compileType(md, types)
	if err != nil {
		return second
	}
	return func(b []byte) (protoreflect.Message, error) {
		m := hyperpb.NewMessage(ty)
		// Without its aliasing, which reads past the end of what it is given.
		if err := m.Unmarshal(b, hyperpb.WithMaxDepth(MaxDepth)); err != nil {
			return second(b)
		}
		if canBeDeep && len(b) > 2*MaxDepth && exceeds(m, MaxDepth) { // a level takes two bytes or more
			return nil, errTooDeep
		}
		return m, checkRequired(m)
	}
}

// compileType turns the panic that hyperpb documents for types beyond its
// limits into an error.
func compileType(md protoreflect.MessageDescriptor, types Types) (ty *hyperpb.MessageType, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("hyperpb cannot compile %s: %v", md.FullName(), p)
		}
	}()
	if types == nil {
		return hyperpb.CompileMessageDescriptor(md), nil
	}
	return hyperpb.CompileMessageDescriptor(md, hyperpb.WithExtensions(extensionsOf{types})), nil
}

// extensionsOf lists extensions in the form that hyperpb asks for.
type extensionsOf struct{ Types }

func (e extensionsOf) FindExtensionsByMessage(name protoreflect.FullName) (found []protoreflect.ExtensionDescriptor) {
	e.RangeExtensionsByMessage(name, func(xt protoreflect.ExtensionType) bool {
		found = append(found, xt.TypeDescriptor())
		return true
	})
	return found
}
