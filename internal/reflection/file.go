package reflection

import (
	"errors"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// File is a file that the server sent.
type File struct {
	reader *Reader
	raw    []byte // the FileDescriptorProto, with comments

	// The file's names and imports, read without linking.
	path          string
	pkg           string
	imports       []string
	optionImports []string
	services      []Service

	// scope holds the imports that differ from the reader's files with the same
	// path.
	scope map[string]*File

	complete   bool // all direct and indirect imports were requested
	typesAsked bool // the files of its types were requested, because an import is missing
	link       link
}

// Service is a service of a file that may not be linked.
type Service struct {
	Name    protoreflect.FullName
	Methods []protoreflect.Name
}

// Path returns the path by which other files import this one.
func (f *File) Path() string { return f.path }

// Services returns the services that the file declares. Only their names are
// checked.
func (f *File) Services() []Service { return f.services }

var errMalformed = status.Error(codes.Internal, "a file of the answer is malformed")

// newFile reads the names and imports from content.
func newFile(r *Reader, content []byte) (*File, error) {
	f := &File{reader: r, raw: content}
	var services [][]byte
	err := eachField(content, func(num protowire.Number, value []byte) error {
		switch num {
		case 1:
			f.path = string(value)
		case 2:
			f.pkg = string(value)
		case 3:
			f.imports = append(f.imports, string(value))
		case 6:
			services = append(services, value)
		case 15:
			f.optionImports = append(f.optionImports, string(value))
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case f.path == "":
		return nil, errors.New("a file of the answer has no name")
	case len(f.path) > r.limits.NameBytes:
		return nil, tooMuch("the name of a file is longer than %d bytes", r.limits.NameBytes)
	}
	for _, s := range services {
		if err := f.addService(s); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// addService adds a service. It ignores an invalid name, with which linking
// fails.
func (f *File) addService(content []byte) error {
	var s Service
	err := eachField(content, func(num protowire.Number, value []byte) error {
		switch num {
		case 1:
			s.Name = protoreflect.FullName(f.qualify(string(value)))
		case 2:
			method, err := nameOf(value)
			if name := protoreflect.Name(method); name.IsValid() {
				s.Methods = append(s.Methods, name)
			}
			return err
		}
		return nil
	})
	if s.Name.IsValid() {
		f.services = append(f.services, s)
	}
	return err
}

// declares reports whether the file declares a symbol at its top level, or
// declares the symbol's outermost scope there. It does not find the values of
// top-level enums.
func (f *File) declares(symbol string) bool {
	rest := symbol
	if f.pkg != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(symbol, f.pkg+"."); !ok {
			return false
		}
	}
	top, _, _ := strings.Cut(rest, ".")
	found := false
	_ = eachField(f.raw, func(num protowire.Number, value []byte) error {
		if slices.Contains([]protowire.Number{4, 5, 6, 7}, num) {
			name, err := nameOf(value)
			found = found || name == top
			return err
		}
		return nil
	})
	return found
}

func (f *File) qualify(name string) string {
	if f.pkg == "" {
		return name
	}
	return f.pkg + "." + name
}

// pick returns the file of an answer that the question asked for; nil if there
// is none.
func (q *question) pick(files []*File) *File {
	if q.kind == fileByPath {
		if i := slices.IndexFunc(files, func(f *File) bool { return f.path == q.name }); i >= 0 {
			return files[i]
		}
		return nil
	}
	if q.kind == fileOfSymbol {
		for _, f := range files {
			if f.declares(q.name) {
				return f
			}
		}
	}
	if len(files) == 0 {
		return nil
	}
	return files[0]
}

// eachField visits the fields of a message that hold bytes.
func eachField(b []byte, visit func(num protowire.Number, value []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return errMalformed
		}
		if typ == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(b)
			if err := visit(num, value); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}

// nameOf returns field 1 of a message, which is the name in all descriptors.
func nameOf(content []byte) (name string, err error) {
	err = eachField(content, func(num protowire.Number, value []byte) error {
		if num == 1 {
			name = string(value)
		}
		return nil
	})
	return name, err
}
