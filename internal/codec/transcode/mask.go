package transcode

import "strings"

// maxMask limits the bytes of the paths of a mask: nested messages repeat the names that contain
// them.
const maxMask = 1 << 20

// MaskPaths returns the paths of a google.protobuf.FieldMask for the fields that doc, a valid
// document of the message, sets: of messages the fields within, of lists, maps and messages
// such as a Timestamp the field itself. Null sets a field too: to nothing. So does an empty
// object. The paths have names of the schema. Unknown fields and extensions have no path.
func (p *Plan) MaskPaths(doc []byte) ([]string, error) {
	m := masker{scanner: scanner{in: doc}}
	var err *Error
	if p.hasFields() {
		err = m.object(p, "", maxDepth)
	}
	if err != nil {
		return nil, err.finish(doc)
	}
	return m.paths, nil
}

// masker reads the paths of a mask from a document.
type masker struct {
	scanner
	paths []string
	size  int
}

// object reads an object of a message's fields. prefix is the path of the message, with a dot at
// the end.
func (m *masker) object(p *Plan, prefix string, depth int) *Error {
	if depth == 0 {
		return m.tooDeep()
	}
	if m.space() != '{' {
		return m.mismatch(m.pos, wantedMessage(p))
	}
	m.pos++
	for first := true; ; first = false {
		more, err := m.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			if first && prefix != "" {
				return m.add(strings.TrimSuffix(prefix, "."))
			}
			return nil
		}
		key, err := m.key()
		if err != nil {
			return err
		}
		if err := m.value(p.byName[string(key)], prefix, depth); err != nil {
			return err
		}
	}
}

// value reads the value of a field, which is nil if it is unknown.
func (m *masker) value(f *field, prefix string, depth int) *Error {
	if f == nil {
		return m.skip(maxDepth)
	}
	path := prefix + string(f.desc.Name())
	if f.message != nil && !f.list && m.space() == '{' && f.message.get().hasFields() {
		return m.object(f.message.get(), path+".", depth-1)
	}
	if err := m.add(path); err != nil {
		return err
	}
	return m.skip(maxDepth)
}

// add adds a path.
func (m *masker) add(path string) *Error {
	if m.size += len(path); m.size > maxMask {
		return &Error{Problem: "the JSON sets too many fields for a field mask", offset: m.pos, whole: true}
	}
	m.paths = append(m.paths, path)
	return nil
}
