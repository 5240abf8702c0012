package transcode

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// FieldPaths returns the paths of the fields that doc sets, in the form that
// google.protobuf.FieldMask has in the binary format: names of the schema joined
// by dots. doc is the value of the message field fd, and the paths begin in that
// message. A path leads to a field that is not a message, or as a whole is a list,
// a map, null, a message without any field, or of a well-known type.
//
// doc must be one that AppendWireField accepts. Members that it skipped are
// skipped.
func (p *Plan) FieldPaths(doc []byte, fd protoreflect.FieldDescriptor) []string {
	f := p.number(uint64(fd.Number()))
	if f == nil || f.message == nil || f.list {
		return nil
	}
	s := pathScanner{scanner: scanner{in: doc}}
	s.message(f.message.get(), "")
	return s.paths
}

// pathScanner reads a document that has been read before without an error.
type pathScanner struct {
	scanner
	paths []string
}

// message reads the value at pos, the field at path, and adds the paths of the
// fields that it sets.
func (s *pathScanner) message(p *Plan, path string) {
	if s.space() != '{' || p.kind != wellknown.None {
		s.whole(path)
		return
	}
	s.pos++
	empty := true
	for first := true; ; first = false {
		if more, err := s.more('}', first); !more || err != nil {
			break
		}
		key, err := s.key()
		if err != nil {
			return
		}
		f := p.byName[string(key)]
		if f == nil { // unknown, or an extension, for which masks have no names
			_ = s.skip(maxDepth)
			continue
		}
		empty = false
		at := string(f.desc.Name())
		if path != "" {
			at = path + "." + at
		}
		if f.message != nil && !f.list {
			s.message(f.message.get(), at)
		} else {
			s.whole(at)
		}
	}
	if empty && path != "" {
		s.paths = append(s.paths, path)
	}
}

// whole skips the value at pos and adds the path of its field.
func (s *pathScanner) whole(path string) {
	_ = s.skip(maxDepth)
	if path != "" {
		s.paths = append(s.paths, path)
	}
}
