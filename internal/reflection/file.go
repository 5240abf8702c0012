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

// File is a file as the server describes it.
type File struct {
	reader *Reader
	raw    []byte // the FileDescriptorProto, with comments

	// What the file says, without looking into its types.
	path          string
	pkg           string
	imports       []string
	optionImports []string
	services      []Service

	// scope holds those imports that differ from the reader's files of the same path.
	scope map[string]*File

	complete   bool // all that it imports, directly or not, was asked for
	typesAsked bool // the files of its types were asked for, since it imports something that is missing
	link       link
}

// Service is a service of a file that need not be linked.
type Service struct {
	Name    protoreflect.FullName
	Methods []protoreflect.Name
}

// Path returns the path by which other files import this one.
func (f *File) Path() string { return f.path }

// Services returns the services that the file declares, as its bytes say: nothing
// is checked but the names.
func (f *File) Services() []Service { return f.services }

var errMalformed = status.Error(codes.Internal, "a file of the answer is malformed")

// newFile reads what content says about names and imports.
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

// addService adds a service, unless its name is invalid; then linking fails.
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

// declares reports whether a symbol is, or is in, something that is declared at
// the top of the file. The values of enums, which are there too, are not found.
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

// pick returns the file of an answer that the question was for; nil if there is
// none.
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
