package jsonmsg

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// lookup returns the field that has a name.
func (x *explainer) lookup(md protoreflect.MessageDescriptor, path, name string) (protoreflect.FieldDescriptor, error) {
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		return x.extension(md, path, name)
	}
	if fd := md.Fields().ByJSONName(name); fd != nil {
		return fd, nil
	}
	if fd := md.Fields().ByTextName(name); fd != nil {
		return fd, nil
	}
	names := make([]string, md.Fields().Len())
	for i := range names {
		names[i] = md.Fields().Get(i).JSONName()
	}
	return nil, unknownName(join(path, name), md, "field", name, names)
}

func (x *explainer) extension(md protoreflect.MessageDescriptor, path, name string) (protoreflect.FieldDescriptor, error) {
	xt, err := x.types.FindExtensionByName(protoreflect.FullName(name[1 : len(name)-1]))
	if err != nil || xt == nil {
		return nil, errorAt(join(path, name), "unknown extension")
	}
	fd := xt.TypeDescriptor()
	if fd.ContainingMessage().FullName() != md.FullName() {
		return nil, errorAt(join(path, name), "it extends %s, not %s", fd.ContainingMessage().FullName(), md.FullName())
	}
	if !md.ExtensionRanges().Has(fd.Number()) {
		return nil, errStopped
	}
	return fd, nil
}

// single checks a value of a singular field, or one element of a list or map.
func (x *explainer) single(fd protoreflect.FieldDescriptor, path string, v value) error {
	if fd.Message() != nil {
		return x.message(fd.Message(), path, v)
	}
	name, isString := v.tok.(string)
	if fd.Enum() != nil && (isString || v.tok == nil) {
		return enum(fd, path, name, v)
	}
	text, err := x.rest(v)
	if err != nil {
		return err
	}
	switch err := unmarshal(text, wrapper(fd.Kind()), x.types); {
	case err == nil:
		return nil
	case isString && fd.Kind() == protoreflect.StringKind:
		return errStopped // its UTF-8 or its escapes are broken, which protojson says better
	}
	return mismatch(path, wantField(fd), v.tok)
}

// enum checks the name of a value, or null.
func enum(fd protoreflect.FieldDescriptor, path, name string, v value) error {
	if v.tok == nil {
		if wellknown.IsNull(fd) {
			return nil
		}
		return mismatch(path, wantField(fd), v.tok)
	}
	values := fd.Enum().Values()
	if values.ByName(protoreflect.Name(name)) != nil {
		return nil
	}
	names := make([]string, values.Len())
	for i := range names {
		names[i] = string(values.Get(i).Name())
	}
	return unknownName(path, fd.Enum(), "value", name, names)
}

// any checks a google.protobuf.Any whose brace has been read.
func (x *explainer) any(path string, v value) error {
	url, err := x.typeURL(path, v)
	if err != nil {
		return err
	}
	if url == "" {
		_, err := x.rest(v)
		return err
	}
	mt, err := x.types.FindMessageByURL(url)
	if err != nil {
		return errorAt(element(path, "@type"), "unknown message type %s", quoted(url))
	}
	if !isWellKnown(mt.Descriptor()) {
		return x.members(mt.Descriptor(), path, true)
	}
	return x.customInAny(mt.Descriptor(), path)
}

// typeURL looks ahead for the "@type" of the object that starts with v. The result is
// empty only if the object is.
func (x *explainer) typeURL(path string, v value) (string, error) {
	ahead := newExplainer(x.data[v.start:], x.types)
	if _, err := ahead.next(); err != nil {
		return "", err
	}
	url, empty := "", true
	for ; ahead.dec.More(); empty = false {
		name, err := ahead.key()
		if err != nil {
			return "", err
		}
		v, err := ahead.next()
		if err != nil {
			return "", err
		}
		if name != "@type" {
			if _, err := ahead.rest(v); err != nil {
				return "", err
			}
			continue
		}
		if url != "" {
			return "", errorAt(element(path, "@type"), "it occurs twice")
		}
		s, _ := v.tok.(string)
		if s == "" {
			return "", mismatch(element(path, "@type"), `a type such as "type.googleapis.com/google.protobuf.Duration"`, v.tok)
		}
		url = s
	}
	if _, err := ahead.next(); err != nil {
		return "", err
	}
	if url == "" && !empty {
		return "", errorAt(path, `"@type" is missing: the type of the message, such as "type.googleapis.com/google.protobuf.Duration"`)
	}
	return url, nil
}

// customInAny checks an Any that holds a well-known type.
func (x *explainer) customInAny(md protoreflect.MessageDescriptor, path string) error {
	found := false
	for x.dec.More() {
		name, err := x.key()
		if err != nil {
			return err
		}
		v, err := x.next()
		switch {
		case err != nil:
			return err
		case name == "@type":
			continue
		case name != "value":
			return unknownName(join(path, name), md, "field", name, []string{"@type", "value"})
		case found:
			return errorAt(join(path, name), "the field is set twice")
		}
		found = true
		if err := x.message(md, join(path, name), v); err != nil {
			return err
		}
	}
	if !found && wellknown.Of(md.FullName()).Kind != wellknown.Empty {
		return errorAt(path, `"value" is missing: the JSON of the %s`, md.FullName())
	}
	_, err := x.next()
	return err
}
