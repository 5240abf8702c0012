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

// errorAt returns an error at a place of the document; path is empty for the
// document itself.
func errorAt(path, format string, args ...any) error {
	if path != "" {
		format, args = "%s: "+format, slices.Concat([]any{path}, args)
	}
	return fmt.Errorf(format, args...)
}

func mismatch(path, want string, tok json.Token) error {
	return errorAt(path, "expected %s, got %s", want, describeToken(tok))
}

// unknownName returns an error for a name that owner does not have. It lists the
// names that owner has, the nearest first.
func unknownName(path string, owner protoreflect.Descriptor, kind, name string, has []string) error {
	if len(has) == 0 {
		return errorAt(path, "%s has no %s %s; it has none at all", owner.FullName(), kind, quoted(name))
	}
	near := nearest.Names(name, has, 3)
	others := slices.DeleteFunc(has, func(n string) bool { return slices.Contains(near, n) })
	return errorAt(path, "%s has no %s %s%s; it has: %s",
		owner.FullName(), kind, quoted(name), nearest.DidYouMean(near), listed(slices.Concat(near, others)))
}

// join appends the name of a field to a path.
func join(path, name string) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]") // of an extension
	switch {
	case !protoreflect.FullName(bare).IsValid() || len(name) > maxQuoted:
		return element(path, name)
	case path == "":
		return name
	}
	return path + "." + name
}

func element(path, key string) string { return path + "[" + quoted(key) + "]" }

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// maxQuoted bounds how many bytes of a text of the document an error repeats.
const maxQuoted = 60

// quoted returns a text of the document, safe for a terminal.
func quoted(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:maxQuoted], "")) + "..."
}

// listed joins names. Of many it joins the first ones.
func listed(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// describeToken names a value by its first token.
func describeToken(tok json.Token) string {
	switch tok := tok.(type) {
	case string:
		return "the string " + quoted(tok)
	case json.Number:
		if len(tok) > maxQuoted {
			return "the number " + string(tok[:maxQuoted]) + "..."
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

// wantField names the values that the field, or an element of it, accepts.
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

// wantMessage names the JSON of a message.
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
