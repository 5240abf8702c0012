package schema

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
)

// set reads a descriptor set. Each of its files is a separate input, so that if one of them
// changes, only it and its importers are compiled again.
type set struct {
	path  string
	stat  stat
	sum   [sha256.Size]byte // of the set's content
	at    time.Time         // when sum was first computed; zero if that was the first read
	files map[string]*setFile
	own   []*input
	wrong []*diag.Diagnostic
}

// setFile is a file of a set and its bytes.
type setFile struct {
	input    *input
	digest   [sha256.Size]byte
	isImport bool
}

func (s *set) name() string                 { return s.path }
func (s *set) served() []*input             { return s.own }
func (s *set) beside() []*input             { return nil }
func (s *set) problems() []*diag.Diagnostic { return s.wrong }

func (s *set) open(path string) *input {
	if f := s.files[path]; f != nil {
		return f.input
	}
	return nil
}

func (s *set) refresh(_ context.Context, lim Limits) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if s.files != nil && s.stat.unchanged(info) {
		return nil
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", s.path)
	}
	st := stat{info: info, read: time.Now()}
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, lim.SetBytes+1))
	if err != nil {
		return err
	}
	s.stat, s.wrong = st, nil
	if int64(len(content)) > lim.SetBytes {
		s.wrong = append(s.wrong, problem(s.path, "the descriptor set is larger than %d bytes", lim.SetBytes))
		content = nil
	}
	sum := sha256.Sum256(content)
	if s.files != nil && sum != s.sum {
		s.at = st.read
	}
	s.sum = sum
	if content, err = binarySet(s.path, content, lim.SetBytes); err != nil {
		s.wrong = append(s.wrong, problem(s.path, "the descriptor set cannot be read: %s", trimRuntime(err)))
	}
	s.load(content, lim)
	return nil
}

// load reads the files of the set.
func (s *set) load(content []byte, lim Limits) {
	old := s.files
	s.files, s.own = make(map[string]*setFile), nil
	for rest := content; len(rest) > 0; {
		file, n := nextFile(rest)
		if n < 0 {
			s.wrong = append(s.wrong, problem(s.path, "this is not a descriptor set: %s", trimRuntime(protowire.ParseError(n))))
			break
		}
		rest = rest[n:]
		if file == nil {
			continue
		}
		if len(s.files) >= lim.Files {
			s.wrong = append(s.wrong, problem(s.path, "the descriptor set holds more than %d files", lim.Files))
			break
		}
		if err := s.add(file, old, lim); err != nil {
			s.wrong = append(s.wrong, problem(s.path, "file %d of the descriptor set: %v", len(s.files)+1, err))
		}
	}
	if len(content) == 0 && len(s.wrong) == 0 {
		s.wrong = append(s.wrong, problem(s.path, "the descriptor set is empty"))
	}
	s.wrong = atMost(s.wrong, s.path)
	s.keepLost(old)
	for _, f := range s.files {
		if !f.isImport {
			s.own = append(s.own, f.input)
		}
	}
	slices.SortFunc(s.own, func(a, b *input) int { return strings.Compare(a.path, b.path) })
}

// keepLost keeps the files of a set that became unreadable, with an error, because they may still
// exist.
func (s *set) keepLost(old map[string]*setFile) {
	if len(s.wrong) == 0 {
		return
	}
	for p, f := range old {
		if s.files[p] == nil {
			lost := &input{path: p, location: f.input.location, set: s.path, changed: s.at, problem: problem(f.input.location, "the descriptor set cannot be read: %s", s.wrong[0].Message)}
			if lost.sameContent(f.input) {
				lost = f.input
			}
			s.files[p] = &setFile{input: lost, isImport: f.isImport}
		}
	}
}

// nextFile reads the next field of a FileDescriptorSet from b. It returns the field's value if it
// is a file, and the number of bytes it read, which is negative if they are malformed.
func nextFile(b []byte) (file []byte, n int) {
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return nil, n
	}
	m := protowire.ConsumeFieldValue(num, typ, b[n:])
	if m < 0 {
		return nil, m
	}
	if num == 1 && typ == protowire.BytesType {
		file, _ = protowire.ConsumeBytes(b[n:])
	}
	return file, n + m
}

func (s *set) add(content []byte, old map[string]*setFile, lim Limits) error {
	fd, err := unmarshalFile(content)
	if err != nil {
		return err
	}
	p := fd.GetName()
	if why := importPathProblem(p); why != "" {
		return fmt.Errorf("%q: %s", diag.Clip(p), why)
	}
	if NameBytes(fd) > lim.NameBytes {
		return fmt.Errorf("%q: the full names of its declarations take more than %d bytes", p, lim.NameBytes)
	}
	if s.files[p] != nil {
		return fmt.Errorf("%q occurs twice", p)
	}
	f := &setFile{digest: sha256.Sum256(content), isImport: isBufImport(fd)}
	f.input = &input{path: p, location: s.path + "!" + p, set: s.path, changed: s.at, proto: fd, size: len(content)}
	if before := old[p]; before != nil && before.digest == f.digest {
		f.input = before.input
	}
	s.files[p] = f
	return nil
}

// unmarshalFile reads a FileDescriptorProto. It parses options that Go packages in this binary
// declare. If the schema uses their numbers for other options, all custom options remain unparsed.
func unmarshalFile(content []byte) (*descriptorpb.FileDescriptorProto, error) {
	fd := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(content, fd); err == nil {
		return fd, nil
	}
	proto.Reset(fd)
	err := proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}.Unmarshal(content, fd)
	return fd, err
}

// isBufImport reports whether a buf image contains a file only because another file imports it.
func isBufImport(fd *descriptorpb.FileDescriptorProto) bool {
	ext := field(fd.ProtoReflect().GetUnknown(), imageFile, protowire.BytesType)
	body, n := protowire.ConsumeBytes(ext)
	if n < 0 {
		return false
	}
	v, n := protowire.ConsumeVarint(field(body, imageIsImport, protowire.VarintType))
	return n > 0 && v != 0
}

// field returns the bytes of a message from the value of a field on; nil if the
// message does not have the field.
func field(b []byte, want protowire.Number, wantType protowire.Type) []byte {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		if num == want && typ == wantType {
			return b
		}
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return nil
		}
		b = b[n:]
	}
	return nil
}
