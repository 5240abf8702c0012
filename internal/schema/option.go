package schema

import (
	"strings"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/source"
	"github.com/bufbuild/protocompile/experimental/source/length"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// OptionPosition returns the position of an option of a method, or of a part of it. The path
// starts with the option's number; it may go on with the numbers of the fields in it, each of
// a repeated field with an index behind it. If the part's position is unknown, it is that of
// the nearest part around it, of the method, or of the file.
//
// A file of a descriptor set is only searched for positions by DiagnoseOption.
func (f *File) OptionPosition(m protoreflect.MethodDescriptor, path ...int32) diag.Position {
	at := diag.Position{Path: f.Location()}
	if span, ok := f.optionSpan(m, path); ok {
		start := span.Location(span.Start, length.Runes)
		at.Line, at.Column = start.Line, start.Column
	}
	return at
}

// DiagnoseOption is [File.Diagnose] for an option of a method, or a part of it.
func (f *File) DiagnoseOption(
	severity diag.Severity, m protoreflect.MethodDescriptor, path []int32, format string, args ...any,
) *diag.Diagnostic {
	if span, ok := f.optionSpan(m, path); ok {
		return diagnoseAt(span, plain(severity, f.Location(), format, args...))
	}
	at := f.OptionPosition(m)
	if at.Line == 0 {
		at.Line, at.Column = f.optionInSet(m, path)
	}
	return diag.New(severity, at, format, args...)
}

// optionInSet returns the position of an option in the source info of a descriptor set.
func (f *File) optionInSet(m protoreflect.MethodDescriptor, option []int32) (line, column int) {
	view := f.detail()
	path, ok := sourcePath(m)
	if view == nil || !ok {
		return 0, 0
	}
	const options = 4 // in MethodDescriptorProto
	path = append(append(path, options), option...)
	for n := len(path); n > len(path)-len(option)-2; n-- {
		if loc := view.SourceLocations().ByPath(path[:n]); loc.Path != nil {
			return loc.StartLine + 1, loc.StartColumn + 1
		}
	}
	return 0, 0
}

// optionSpan returns the text that sets a part of an option; if that is unknown, the text of
// the nearest part around it, or the method's name.
func (f *File) optionSpan(m protoreflect.MethodDescriptor, path []int32) (at source.Span, ok bool) {
	file := f.source.Load()
	if file == nil {
		return at, false
	}
	if at, ok = definition(file, string(m.FullName())); !ok || len(path) == 0 {
		return at, ok
	}
	defer func() { _ = recover() }() // a less exact position will do
	message := file.FindSymbol(ir.FullName(m.FullName())).AsMethod().Options()
	for len(path) > 0 {
		value := fieldOf(message, path[0])
		if value.IsZero() {
			return at, true
		}
		path = path[1:]
		element := value.Elements().At(0)
		if value.Elements().Len() > 1 || len(path) > 0 && value.Field().IsRepeated() {
			if len(path) == 0 || int(path[0]) >= value.Elements().Len() {
				return at, true
			}
			element = value.Elements().At(int(path[0]))
			path = path[1:]
			at = spanOr(at, firstField(element.AsMessage()))
		} else {
			at = spanOr(at, value)
		}
		message = element.AsMessage()
	}
	return at, true
}

// fieldOf returns the value of the field with a number.
func fieldOf(m ir.MessageValue, number int32) ir.Value {
	for v := range m.Fields() {
		if v.Field().Number() == number {
			return v
		}
	}
	return ir.Value{}
}

func firstField(m ir.MessageValue) ir.Value {
	for v := range m.Fields() {
		return v
	}
	return ir.Value{}
}

// spanOr returns the text of an option's value with its name, or otherwise at if that is
// unknown or in another file.
func spanOr(at source.Span, v ir.Value) source.Span {
	spanner := v.OptionSpan()
	if spanner == nil {
		return at
	}
	if span := spanner.Span(); !span.IsZero() && span.Path() == at.Path() {
		return span
	}
	return at
}

// diagnoseAt gives a diagnostic a position and shows the text there.
func diagnoseAt(at source.Span, d *diag.Diagnostic) *diag.Diagnostic {
	sentence, details := diag.Split(d.Message)
	out := pointed(at, "%s", sentence)
	out.Severity, out.Message = d.Severity, d.Message
	out.Text = d.Severity.String() + strings.TrimPrefix(out.Text, diag.Error.String()) + details
	return out
}
