package schema

import (
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/seq"
	"github.com/bufbuild/protocompile/experimental/source"
	"google.golang.org/protobuf/types/descriptorpb"
)

// overrule drops errors of the compiler about files that protoc accepts. The compiler's result is
// complete despite them.
func overrule(file *ir.File, r *report.Report) {
	if file == nil || len(r.Diagnostics) == 0 {
		return
	}
	judgeJSONNames(file, r)
	judgeDeclarations(file, r)
	dropAt(r, isEnumClash, func(at map[source.Span]bool) {
		for ty := range seq.Values(file.AllTypes()) {
			if ty.IsEnum() && allowsLegacyConflicts(ty) {
				for v := range seq.Values(ty.Members()) {
					at[v.AST().Name().Span()] = true
				}
			}
		}
	})
	dropAt(r, isJSTypeError, func(at map[source.Span]bool) {
		for field := range file.AllMembers() {
			v := optionOf(field.Options(), "jstype")
			if n, ok := v.AsInt(); ok && n == int64(descriptorpb.FieldOptions_JS_NORMAL) {
				at[field.TypeAST().RemovePrefixes().Span()] = true
			}
		}
	})
}

// dropAt drops the diagnostics of one kind at certain places.
func dropAt(r *report.Report, kind func(report.Diagnostic) bool, places func(map[source.Span]bool)) {
	if !slices.ContainsFunc(r.Diagnostics, kind) {
		return
	}
	at := make(map[source.Span]bool)
	places(at)
	r.Diagnostics = slices.DeleteFunc(r.Diagnostics, func(d report.Diagnostic) bool { return kind(d) && at[d.Primary()] })
}

func isEnumClash(d report.Diagnostic) bool {
	return strings.HasPrefix(d.Message(), "enum values have the same name with the ")
}

func isJSTypeError(d report.Diagnostic) bool {
	return strings.HasPrefix(d.Message(), "expected 64-bit integer type, found ")
}

// isReservedName reports whether an error is about a reserved name that no field can have.
// Reserving it has no effect.
func isReservedName(d report.Diagnostic) bool {
	return strings.HasPrefix(d.Message(), "reserved ") && strings.HasSuffix(d.Message(), " name is not a valid identifier")
}

func isDeclarationError(d report.Diagnostic) bool {
	m := d.Message()
	return m == "extension declaration must specify `full_name`" || m == "extension declaration must specify `type`"
}

// judgeDeclarations replaces the compiler's errors about incomplete declarations of extensions:
// declarations of reserved numbers need neither name nor type.
func judgeDeclarations(file *ir.File, r *report.Report) {
	if !slices.ContainsFunc(r.Diagnostics, isDeclarationError) {
		return
	}
	r.Diagnostics = slices.DeleteFunc(r.Diagnostics, isDeclarationError)
	found := 0
	for ty := range seq.Values(file.AllTypes()) {
		seen := make(map[source.Span]bool) // ranges of one statement share their options
		for ranges := range seq.Values(ty.ExtensionRanges()) {
			declarations := optionOf(ranges.Options(), "declaration")
			if declarations.IsZero() {
				continue
			}
			for e := range seq.Values(declarations.Elements()) {
				if at := e.AST().Span(); found < maxDiagnostics && !seen[at] && !isComplete(e.AsMessage()) {
					seen[at] = true
					found++
					r.Errorf("extension declaration must specify both `full_name` and `type`").Apply(report.Snippet(at))
				}
			}
		}
	}
}

func isComplete(declaration ir.MessageValue) bool {
	hasName := !optionOf(declaration, "full_name").IsZero()
	hasType := !optionOf(declaration, "type").IsZero()
	reserved, _ := optionOf(declaration, "reserved").AsBool()
	return hasName && hasType || reserved && !hasName && !hasType
}

// allowsLegacyConflicts reports whether a message or an enum has deprecated_legacy_json_field_conflicts.
func allowsLegacyConflicts(ty ir.Type) bool {
	v, _ := optionOf(ty.Options(), "deprecated_legacy_json_field_conflicts").AsBool()
	return v
}

// optionOf returns the value of the field with a name; zero if it is not set.
func optionOf(options ir.MessageValue, name string) (found ir.Value) {
	if options.IsZero() {
		return found
	}
	for v := range options.Fields() {
		if f := v.Field(); !f.IsExtension() && f.Name() == name {
			return v
		}
	}
	return found
}
