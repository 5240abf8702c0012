package schema

import (
	"slices"
	"strings"

	edition "github.com/bufbuild/protocompile/experimental/ast/syntax"
	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/seq"
	"google.golang.org/protobuf/types/descriptorpb"
)

// tagJSONName marks warnings about fields with the same JSON name. They are not style
// warnings.
const tagJSONName = "json-name"

func isJSONClash(d report.Diagnostic) bool {
	m := d.Message()
	return strings.HasSuffix(m, "fields have the same JSON name") || strings.HasSuffix(m, "fields have the same (default) JSON name")
}

// judgeJSONNames replaces the compiler's diagnostics about equal JSON names with those of protoc:
// the compiler refuses more, and does not know the option that allows them.
func judgeJSONNames(file *ir.File, r *report.Report) {
	if !slices.ContainsFunc(r.Diagnostics, isJSONClash) {
		return
	}
	r.Diagnostics = slices.DeleteFunc(r.Diagnostics, isJSONClash)
	found := 0
	for ty := range seq.Values(file.AllTypes()) {
		if ty.IsEnum() || allowsLegacyConflicts(ty) {
			continue
		}
		// Field masks do not use custom names, so both kinds count.
		for _, custom := range []bool{false, true} {
			if found += clashesIn(ty, custom, r); found > maxDiagnostics {
				return
			}
		}
	}
}

// jsonName is the name of a field in JSON.
type jsonName struct {
	field  ir.Member
	name   string
	custom bool // differs from the default
}

// clashesIn reports the fields of a message with an equal JSON name, up to maxDiagnostics.
func clashesIn(ty ir.Type, custom bool, r *report.Report) (found int) {
	names := make(map[string]jsonName)
	for field := range seq.Values(ty.Members()) {
		this := jsonName{field: field, name: defaultJSONName(field.Name())}
		if name, ok := field.PseudoOptions().JSONName.AsString(); custom && ok && name != this.name {
			this.name, this.custom = name, true
		}
		before, taken := names[this.name]
		if !taken {
			names[this.name] = this
			continue
		}
		if custom && !this.custom && !before.custom {
			continue // already reported without custom names
		}
		level := report.Error
		if isBestEffort(ty) && (!this.custom || !before.custom) {
			level = report.Warning
		}
		reportClash(before, this, level, r)
		if found++; found == maxDiagnostics {
			break
		}
	}
	return found
}

func reportClash(before, this jsonName, level report.Level, r *report.Report) {
	kind := map[bool]string{false: "default", true: "custom"}
	if level == report.Warning && r.SuppressWarnings {
		return
	}
	r.Levelf(level, "fields `%s` and `%s` have the same JSON name `%s`", before.field.Name(), this.field.Name(), this.name).Apply(
		report.Snippetf(this.field.AST().Name(), "by its %s name", kind[this.custom]),
		report.Snippetf(before.field.AST().Name(), "by its %s name", kind[before.custom]),
		report.Tag(tagJSONName),
	)
}

// defaultJSONName returns the JSON name of a field without json_name.
func defaultJSONName(name string) string {
	var b strings.Builder
	upper := false
	for _, c := range []byte(name) {
		switch {
		case c == '_':
			upper = true
			continue
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		upper = false
		b.WriteByte(c)
	}
	return b.String()
}

// isBestEffort reports whether the JSON of a message need not be well-defined.
func isBestEffort(ty ir.Type) bool {
	switch ty.Context().Syntax() {
	case edition.Proto2:
		return true
	case edition.Proto3:
		return false
	}
	for fs := ty.FeatureSet(); !fs.IsZero(); fs = fs.Parent() {
		if v := optionOf(fs.Options(), "json_format"); !v.IsZero() {
			n, _ := v.AsInt()
			return n == int64(descriptorpb.FeatureSet_LEGACY_BEST_EFFORT)
		}
	}
	return false
}
