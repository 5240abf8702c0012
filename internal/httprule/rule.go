package httprule

import (
	"fmt"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Option is the number of the option google.api.http of a method.
const Option protoreflect.FieldNumber = 72295728

// RuleOf returns the google.api.http annotation of a method; nil if it has none.
func RuleOf(m protoreflect.MethodDescriptor) (*annotations.HttpRule, error) {
	raw := option(m.Options(), Option)
	if raw == nil {
		return nil, nil //nolint:nilnil // the method has no rule
	}
	rule := new(annotations.HttpRule)
	if err := proto.Unmarshal(raw, rule); err != nil {
		return nil, fmt.Errorf("the option (google.api.http) of method %s is not a google.api.HttpRule: %w", m.FullName(), err)
	}
	return rule, nil
}

// option returns the bytes of an option that is a message or a string; nil if it is not
// set. The program may know the option or not, so its bytes are read.
func option(opts proto.Message, number protowire.Number) (value []byte) {
	raw, err := proto.MarshalOptions{AllowPartial: true}.Marshal(opts)
	for b := raw; len(b) > 0 && err == nil; {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			break
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			break
		}
		if num == number && typ == protowire.BytesType {
			part, _ := protowire.ConsumeBytes(b)
			value = append(append([]byte{}, value...), part...) // not nil; several messages are merged
		}
		b = b[n:]
	}
	return value
}

// host is the number of the option google.api.default_host of a service.
const host protowire.Number = 1049

// hostOf returns the google.api.default_host of the service of a binding; "" if it has none.
func (b *Binding) hostOf() string { return string(option(b.Method.Parent().Options(), host)) }

// Part is a part of a rule.
type Part struct {
	Binding int    // 0 for the rule itself, 1 for its first additional binding
	Field   string // the name of a field of google.api.HttpRule; "" for the whole binding
}

// Path returns the part as numbers: of the option, and of the fields in it, with an index
// behind that of a repeated field.
func (p Part) Path() []int32 {
	fields := (*annotations.HttpRule)(nil).ProtoReflect().Descriptor().Fields()
	path := []int32{int32(Option)}
	if p.Binding > 0 {
		path = append(path, int32(fields.ByName("additional_bindings").Number()), int32(p.Binding-1)) //nolint:gosec // an index
	}
	if f := fields.ByName(protoreflect.Name(p.Field)); f != nil {
		path = append(path, int32(f.Number()))
	}
	return path
}

// Source is where a rule is written.
type Source interface {
	// Position returns the position of a part, or what is known of it.
	Position(part Part) diag.Position

	// Diagnose returns a diagnostic about a part.
	Diagnose(severity diag.Severity, part Part, format string, args ...any) *diag.Diagnostic
}

// at is a Source of which only one position is known.
type at diag.Position

func (a at) Position(Part) diag.Position { return diag.Position(a) }

func (a at) Diagnose(severity diag.Severity, _ Part, format string, args ...any) *diag.Diagnostic {
	return diag.New(severity, diag.Position(a), format, args...)
}

// Bindings checks a rule against its method and returns its bindings, the additional ones
// included. at is the position of the bindings and of the problems. If there are errors,
// only the bindings without one are returned.
func Bindings(m protoreflect.MethodDescriptor, rule *annotations.HttpRule, position diag.Position) ([]*Binding, []*diag.Diagnostic) {
	return BindingsIn(at(position), m, rule)
}

// BindingsIn is [Bindings] for a rule whose parts have positions.
func BindingsIn(src Source, m protoreflect.MethodDescriptor, rule *annotations.HttpRule) (bindings []*Binding, problems []*diag.Diagnostic) {
	all := append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...)
	for i, r := range all {
		c := checker{src: src, method: m, rule: r, index: i}
		if b := c.binding(); !c.failed {
			bindings = append(bindings, b)
		}
		problems = append(problems, c.problems...)
	}
	return bindings, problems
}
