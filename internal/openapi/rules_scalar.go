package openapi

import (
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// stringFormats are the rules of strings that JSON Schema has a format for.
var stringFormats = []struct{ rule, format string }{
	{"email", "email"},
	{"hostname", "hostname"},
	{"ipv4", "ipv4"},
	{"ipv6", "ipv6"},
	{"uri", "uri"},
	{"uri_ref", "uri-reference"},
	{"uuid", "uuid"},
}

func stringRules(o *object, m protoreflect.Message) {
	constants(o, m, func(v protoreflect.Value) list { return list{v.String()} })
	// A character has at least one byte.
	for _, name := range []protoreflect.Name{"len_bytes", "max_bytes", "max_len", "len"} {
		copyNumber(o, "maxLength", m, name)
	}
	copyNumber(o, "minLength", m, "min_len")
	copyNumber(o, "minLength", m, "len")
	if v, ok := get(m, "pattern"); ok && isPortable(v.String()) {
		addPattern(o, v.String())
	}
	if v, ok := get(m, "prefix"); ok {
		addPattern(o, "^"+regexp.QuoteMeta(v.String()))
	}
	if v, ok := get(m, "suffix"); ok {
		addPattern(o, regexp.QuoteMeta(v.String())+"$")
	}
	if v, ok := get(m, "contains"); ok {
		addPattern(o, regexp.QuoteMeta(v.String()))
	}
	if v, ok := get(m, "not_contains"); ok {
		addAll(o, obj("not", obj("pattern", regexp.QuoteMeta(v.String()))))
	}
	for _, f := range stringFormats {
		if isSet(m, protoreflect.Name(f.rule)) {
			o.set("format", f.format)
		}
	}
	switch {
	case isSet(m, "ip"):
		o.set("anyOf", list{obj("format", "ipv4"), obj("format", "ipv6")})
	case isSet(m, "address"):
		o.set("anyOf", list{obj("format", "hostname"), obj("format", "ipv4"), obj("format", "ipv6")})
	case isSet(m, "tuuid"):
		addPattern(o, "^[0-9a-fA-F]{32}$")
	}
}

// isPortable reports whether a pattern means the same in RE2, which buf.validate uses,
// and in ECMAScript, which JSON Schema uses.
func isPortable(pattern string) bool {
	if _, err := regexp.Compile(pattern); err != nil {
		return false
	}
	pattern = strings.ReplaceAll(pattern, `\\`, "")
	for _, special := range []string{`\A`, `\z`, `\Q`, `\C`, `\a`, `\p`, `\P`, `\x{`, "[[:", "[:", "[]", "[^]", `\-`} {
		if strings.Contains(pattern, special) {
			return false
		}
	}
	return !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(pattern, `\(`, ""), "(?:", ""), "(?")
}

// addPattern adds a pattern to those that the schema has.
func addPattern(o *object, pattern string) {
	if o.get("pattern") == nil {
		o.set("pattern", pattern)
		return
	}
	addAll(o, obj("pattern", pattern))
}

func addAll(o *object, schema object) {
	all, _ := o.get("allOf").(list)
	o.set("allOf", append(all, schema))
}

// constants adds the rules const, in and not_in. values returns the forms of a value
// in JSON.
func constants(o *object, m protoreflect.Message, values func(protoreflect.Value) list) {
	if v, ok := get(m, "const"); ok {
		o.set("enum", values(v))
	}
	if v, ok := get(m, "in"); ok {
		o.set("enum", listOf(v, values))
	}
	if v, ok := get(m, "not_in"); ok {
		addAll(o, obj("not", obj("enum", listOf(v, values))))
	}
}

func listOf(v protoreflect.Value, values func(protoreflect.Value) list) (all list) {
	for i := range v.List().Len() {
		all = append(all, values(v.List().Get(i))...)
	}
	return all
}

// numberRules adds the rules of a number of any kind.
func numberRules(o *object, m protoreflect.Message) {
	constants(o, m, numberForms)
	if isSet(m, "finite") && o.get("$ref") == nil {
		o.set("type", "number")
		o.del("pattern")
	}
	var low, high object
	var least, most float64
	bound := func(to *object, key string, name protoreflect.Name, limit *float64) {
		if v, ok := get(m, name); ok {
			forms := numberForms(v)
			if n, ok := forms[0].(number); ok { // not an infinity
				to.set(key, n)
				*limit, _ = strconv.ParseFloat(string(n), 64)
			}
		}
	}
	bound(&low, "exclusiveMinimum", "gt", &least)
	bound(&low, "minimum", "gte", &least)
	bound(&high, "exclusiveMaximum", "lt", &most)
	bound(&high, "maximum", "lte", &most)
	if low != nil && high != nil && most < least { // the numbers outside
		o.set("anyOf", list{low, high})
		return
	}
	for _, limit := range append(low, high...) {
		if limit.key == "exclusiveMinimum" {
			o.del("minimum") // of unsigned numbers
		}
		o.set(limit.key, limit.value)
	}
}

// numberForms returns the forms of a number: integers also as strings.
func numberForms(v protoreflect.Value) list {
	switch n := v.Interface().(type) {
	case int32:
		return list{number(strconv.Itoa(int(n)))}
	case uint32:
		return list{number(strconv.FormatUint(uint64(n), 10))}
	case int64:
		s := strconv.FormatInt(n, 10)
		return list{number(s), s}
	case uint64:
		s := strconv.FormatUint(n, 10)
		return list{number(s), s}
	case float32:
		if _, ok := float(float64(n)).(number); ok {
			return list{number(strconv.FormatFloat(float64(n), 'g', -1, 32))}
		}
		return list{float(float64(n))}
	case float64:
		return list{float(n)}
	}
	return list{nil}
}

// enumRules adds the rules of an enum: the names and numbers that are allowed.
func enumRules(o *object, m protoreflect.Message, ed protoreflect.EnumDescriptor) {
	forms := func(v protoreflect.Value) (all list) {
		n := protoreflect.EnumNumber(v.Int()) //nolint:gosec // the rules have 32 bits
		for i := range ed.Values().Len() {
			if value := ed.Values().Get(i); value.Number() == n {
				all = append(all, string(value.Name()))
			}
		}
		return append(all, int(n))
	}
	if isSet(m, "defined_only") {
		var all list
		for i := range ed.Values().Len() {
			all = append(all, string(ed.Values().Get(i).Name()))
		}
		for i := range ed.Values().Len() {
			if n := int(ed.Values().Get(i).Number()); !contains(all, n) {
				all = append(all, n)
			}
		}
		o.set("enum", all)
	}
	constants(o, m, forms)
}

// anyRules adds which types a google.protobuf.Any may contain.
func anyRules(o *object, m protoreflect.Message) {
	types := object{}
	constants(&types, m, func(v protoreflect.Value) list { return list{v.String()} })
	if len(types) > 0 {
		o.set("properties", obj("@type", types))
	}
}

// copyNumber sets a key to the value of a field, if it is set.
func copyNumber(o *object, key string, m protoreflect.Message, name protoreflect.Name) {
	if v, ok := get(m, name); ok {
		if n, ok := v.Interface().(uint64); ok {
			o.set(key, number(strconv.FormatUint(n, 10)))
		}
	}
}
