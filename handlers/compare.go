package handlers

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/typename"
)

// comparison compares messages as generated code knows them with those of a
// schema.
type comparison struct {
	seen map[protoreflect.FullName]bool
}

// message reports fields that mean something else. Fields that only one of the
// two knows do no harm.
func (c comparison) message(own, schema protoreflect.MessageDescriptor) error {
	if own.FullName() != schema.FullName() {
		return fmt.Errorf("the message %s is %s in the generated code", schema.FullName(), own.FullName())
	}
	if c.seen[own.FullName()] {
		return nil
	}
	c.seen[own.FullName()] = true
	var errs []error
	for i := range own.Fields().Len() {
		a := own.Fields().Get(i)
		if b := schema.Fields().ByNumber(a.Number()); b != nil {
			errs = append(errs, c.field(a, b))
		}
	}
	return errors.Join(errs...)
}

func (c comparison) field(own, schema protoreflect.FieldDescriptor) error {
	if own.Kind() != schema.Kind() || own.IsList() != schema.IsList() || own.IsMap() != schema.IsMap() {
		return fmt.Errorf("the field %s is %s, and %s in the generated code", schema.FullName(), typename.OfField(schema), typename.OfField(own))
	}
	if own.Message() == nil {
		return nil
	}
	return c.message(own.Message(), schema.Message())
}
