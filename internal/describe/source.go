// Package describe shows schemas to people: as .proto source, and as an example
// of what to send.
package describe

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jhump/protoreflect/desc" //nolint:staticcheck // deprecated, but what its printer prints
	"github.com/jhump/protoreflect/desc/protoprint"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/safetext"
)

// Source returns the .proto source of a declaration, as a person would write
// it: of a file, service, method, message, enum, enum value, field, oneof or
// extension, with its comments and options. It ends with a line break.
//
// Comments are those of file, which declares d: of a view of it such as
// schema.File.DescriptorWithComments returns, as the file that d itself knows
// of may have none. Nil stands for d.ParentFile(). Custom options are shown if
// the file imports them.
//
// It fails if file does not declare d, or cannot be described. Characters that are
// unsafe on a terminal are replaced.
func Source(d protoreflect.Descriptor, file protoreflect.FileDescriptor) (source string, err error) {
	defer noPanic(d, &err)
	if file == nil {
		file = d.ParentFile()
	}
	if _, isService := d.(protoreflect.ServiceDescriptor); isService {
		if sd, err := excerptOf(d.FullName(), file); err == nil {
			d, file = sd, sd.ParentFile()
		}
	}
	wrapped, err := desc.WrapFile(file)
	if err != nil {
		return "", fmt.Errorf("%s cannot be described: %w", file.Path(), err)
	}
	symbol := desc.Descriptor(wrapped)
	if _, isFile := d.(protoreflect.FileDescriptor); !isFile {
		symbol = wrapped.FindSymbol(string(d.FullName()))
	}
	if symbol == nil {
		return "", fmt.Errorf("%s does not declare %s", file.Path(), d.FullName())
	}
	text, err := new(protoprint.Printer).PrintProtoToString(symbol)
	if err != nil {
		return "", fmt.Errorf("%s cannot be described: %w", d.FullName(), err)
	}
	return safetext.Clean(tidy(text)), nil
}

// noPanic turns a panic into an error: a server's schema may be malformed.
func noPanic(d protoreflect.Descriptor, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s cannot be described: %v", d.FullName(), r)
	}
}

var (
	method   = regexp.MustCompile(`^(\s*rpc \w+) \( (.+) \) returns \( (.+?) \)`)
	infinity = regexp.MustCompile(`(^\s*|\[)(default = )\+?(-?)(Inf|NaN)\b`)
)

// tidy fixes the printer's output: it has a blank line between any two
// declarations, spaces in the parentheses of methods, empty bodies on two lines,
// and floats in Go's notation.
func tidy(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	out := lines[:0]
	for i, line := range lines {
		if line == "" && i+1 < len(lines) && len(out) > 0 && together(out[len(out)-1], lines[i+1]) {
			continue
		}
		if last := len(out) - 1; strings.TrimSpace(line) == "}" && last >= 0 && strings.HasSuffix(out[last], " {") && !strings.Contains(out[last], "//") {
			out[last] += "}"
			continue
		}
		if !isComment(line) {
			line = method.ReplaceAllString(line, "$1($2) returns ($3)")
			line = infinity.ReplaceAllStringFunc(line, func(s string) string {
				return strings.NewReplacer("+Inf", "inf", "Inf", "inf", "NaN", "nan").Replace(s)
			})
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n") + "\n"
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "//") }

// together reports whether a person would leave no blank line between two lines:
// statements of one kind.
func together(a, b string) bool {
	kind := kindOf(a)
	return kind != "" && kind == kindOf(b)
}

// kindOf returns the kind of a statement that is alone on its line, or "".
func kindOf(line string) string {
	text := strings.TrimLeft(line, " ")
	if isComment(text) || strings.HasPrefix(text, "]") || strings.HasPrefix(text, "}") ||
		!strings.HasSuffix(text, ";") && !strings.Contains(text, "; // ") {
		return ""
	}
	switch word, _, _ := strings.Cut(text, " "); word {
	case "syntax", "edition", "package":
		return ""
	case "import", "option", "reserved", "extensions", "rpc":
		return word
	}
	return "field"
}
