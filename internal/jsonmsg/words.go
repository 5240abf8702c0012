package jsonmsg

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/nearest"
)

// wrong is what is wrong at a place of the document; path is empty for the
// document itself.
func wrong(path, format string, args ...any) error {
	if path != "" {
		format, args = "%s: "+format, slices.Concat([]any{path}, args)
	}
	return fmt.Errorf(format, args...)
}

func mismatch(path, want string, tok json.Token) error {
	return wrong(path, "expected %s, got %s", want, got(tok))
}

// unknown says that owner has nothing of that kind and name, and what it has,
// nearest first.
func unknown(path string, owner protoreflect.Descriptor, kind, name string, has []string) error {
	if len(has) == 0 {
		return wrong(path, "%s has no %s %s, nor any other", owner.FullName(), kind, quoted(name))
	}
	near, hint := nearest.Names(name, has, 3), ""
	for _, n := range near {
		hint += " or " + strconv.Quote(n)
	}
	if hint != "" {
		hint = " (did you mean " + strings.TrimPrefix(hint, " or ") + "?)"
	}
	others := slices.DeleteFunc(has, func(n string) bool { return slices.Contains(near, n) })
	return wrong(path, "%s has no %s %s%s; it has: %s",
		owner.FullName(), kind, quoted(name), hint, listed(slices.Concat(near, others)))
}

// join appends the name of a field to a path.
func join(path, name string) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]") // of an extension
	switch {
	case !protoreflect.FullName(bare).IsValid() || len(name) > longest:
		return element(path, name)
	case path == "":
		return name
	}
	return path + "." + name
}

func element(path, key string) string { return path + "[" + quoted(key) + "]" }

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// longest is how much of a text of the document an error repeats.
const longest = 60

// quoted is a text of the document, fit for a terminal.
func quoted(s string) string {
	if len(s) <= longest {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:longest], "")) + "..."
}

// listed joins names, or the first of many.
func listed(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// got names a value by its first token.
func got(tok json.Token) string {
	switch tok := tok.(type) {
	case string:
		return "the string " + quoted(tok)
	case json.Number:
		if len(tok) > longest {
			return "the number " + string(tok[:longest]) + "..."
		}
		return "the number " + string(tok)
	case bool:
		return strconv.FormatBool(tok)
	case json.Delim:
		if tok == '[' {
			return "a list"
		}
		return "an object"
	}
	return "null"
}

// wantField names what the field, or an element of it, takes.
func wantField(fd protoreflect.FieldDescriptor) string {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "bool (true or false)"
	case protoreflect.BytesKind:
		return "bytes as a base64 string"
	case protoreflect.EnumKind:
		if wellknown.IsNull(fd) {
			return "null"
		}
		return string(fd.Enum().FullName())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return wantMessage(fd.Message())
	}
	return fd.Kind().String()
}

// wantMessage names what JSON a message is read from.
func wantMessage(md protoreflect.MessageDescriptor) string {
	name := string(md.FullName())
	switch known := wellknown.Of(md.FullName()); known.Kind {
	case wellknown.Any:
		return `an object with "@type" (` + name + `)`
	case wellknown.Timestamp, wellknown.Duration, wellknown.FieldMask:
		return name + " such as " + known.Example
	case wellknown.ListValue:
		return "a list (" + name + ")"
	case wellknown.Value:
		return "any JSON (" + name + ")"
	case wellknown.Wrapper:
		return wantField(md.Fields().ByNumber(1))
	}
	return "an object (" + name + ")"
}

// noun is the type of an element of a field.
func noun(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.Message() != nil:
		return string(fd.Message().FullName())
	case fd.Enum() != nil:
		return string(fd.Enum().FullName())
	}
	return fd.Kind().String()
}
