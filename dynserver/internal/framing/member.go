package framing

import (
	"encoding/json"
	"strings"
)

// member returns the text of a member of a document, which must be valid JSON: the
// string, or the number, true or false as written. Dots in the path lead to members
// of members. ok is false if there is no such member or it holds something else.
func member(doc []byte, path string) (text string, ok bool) {
	rest := document(doc)
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path, ".")
		if !rest.enter(name) {
			return "", false
		}
	}
	value := rest[:rest.skip()]
	switch value[0] {
	case '{', '[', 'n':
		return "", false
	case '"':
		return unquote(value), true
	}
	return string(value), true
}

// document is the rest of a valid JSON document, from a value or a key on.
type document []byte

// enter moves to the value of a member of the object at the start.
func (d *document) enter(name string) bool {
	d.trim("")
	if (*d)[0] != '{' {
		return false
	}
	for d.trim("{,"); (*d)[0] != '}'; d.trim(",") {
		end := d.skip()
		key := (*d)[:end]
		*d = (*d)[end:]
		d.trim(":")
		if unquote(key) == name {
			return true
		}
		*d = (*d)[d.skip():]
	}
	return false
}

// trim drops white space and the bytes of what.
func (d *document) trim(what string) {
	for len(*d) > 0 && (strings.IndexByte(" \t\r\n", (*d)[0]) >= 0 || strings.IndexByte(what, (*d)[0]) >= 0) {
		*d = (*d)[1:]
	}
}

// skip returns the end of the value at the start.
func (d document) skip() int {
	depth := 0
	for i := 0; i < len(d); i++ {
		switch d[i] {
		case '"':
			for i++; d[i] != '"'; i++ {
				if d[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			} else if depth < 0 {
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(d)
}

// unquote returns the text of a string.
func unquote(quoted []byte) string {
	if plain := string(quoted[1 : len(quoted)-1]); strings.IndexByte(plain, '\\') < 0 {
		return plain
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // valid
	return text
}
