package httprule

import (
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// RuleOf returns the google.api.http annotation of a method; nil if it has none.
func RuleOf(m protoreflect.MethodDescriptor) (*annotations.HttpRule, error) { return nil, nil }

// Bindings checks a rule against its method and returns its bindings, the additional ones
// included. at is the position of the bindings and of the problems.
func Bindings(m protoreflect.MethodDescriptor, rule *annotations.HttpRule, at diag.Position) ([]*Binding, []*diag.Diagnostic) {
	return nil, nil
}
