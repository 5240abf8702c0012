package openapi

import (
	"context"
	"maps"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// Comments are the comments of declarations, ready to be shown.
type Comments map[protoreflect.Descriptor]string

// ReadComments reads the comments of files. An error means that ctx has ended.
func ReadComments(ctx context.Context, files []*schema.File) (Comments, error) {
	var mu sync.Mutex
	all := Comments{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range files {
		group.Go(func() error {
			content, err := f.Encode(ctx)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return nil // comments are optional
			}
			found := commentsOf(f.Descriptor(), content)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, found)
			return nil
		})
	}
	return all, group.Wait()
}

// filesOf returns the files that declare what a document shows.
func filesOf(services []Service, files func(protoreflect.FileDescriptor) *schema.File) (out []*schema.File) {
	seen := make(map[protoreflect.FileDescriptor]bool)
	add := func(fd protoreflect.FileDescriptor, f *schema.File) {
		if seen[fd] {
			return
		}
		seen[fd] = true
		if f != nil && f.Descriptor() == fd {
			out = append(out, f)
		}
	}
	walk := walker{}
	for _, s := range services {
		add(s.Desc.ParentFile(), s.File)
		for i := range s.Desc.Methods().Len() {
			m := s.Desc.Methods().Get(i)
			walk.message(m.Input())
			walk.message(m.Output())
		}
	}
	for _, d := range walk.found {
		if fd := d.ParentFile(); !seen[fd] {
			add(fd, files(fd))
		}
	}
	return out
}

// walker finds the types that messages have in them.
type walker struct {
	seen  map[protoreflect.Descriptor]bool
	found []protoreflect.Descriptor
}

func (w *walker) add(d protoreflect.Descriptor) bool {
	if w.seen == nil {
		w.seen = make(map[protoreflect.Descriptor]bool)
	}
	if w.seen[d] {
		return false
	}
	w.seen[d] = true
	w.found = append(w.found, d)
	return true
}

func (w *walker) message(md protoreflect.MessageDescriptor) {
	if !w.add(md) {
		return
	}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.IsMap() {
			fd = fd.MapValue()
		}
		if fd.Message() != nil {
			w.message(fd.Message())
		} else if fd.Enum() != nil {
			w.add(fd.Enum())
		}
	}
}

// The numbers of fields in descriptor.proto.
const (
	fileMessages, fileEnums, fileServices, fileInfo        = 4, 5, 6, 9
	messageFields, messageMessages, messageEnums           = 2, 3, 4
	enumValues, serviceMethods                             = 2, 2
	infoLocation, locationPath, locationLead, locationTail = 1, 1, 3, 4
)

// commentsOf reads the comments in the bytes of a FileDescriptorProto. It does not
// unmarshal them, because most of them are positions.
func commentsOf(fd protoreflect.FileDescriptor, content []byte) Comments {
	out := Comments{}
	eachField(content, func(number protowire.Number, info []byte) {
		if number != fileInfo {
			return
		}
		eachField(info, func(number protowire.Number, location []byte) {
			if number != infoLocation {
				return
			}
			var path, lead, tail []byte
			eachField(location, func(number protowire.Number, value []byte) {
				switch number {
				case locationPath:
					path = value
				case locationLead:
					lead = value
				case locationTail:
					tail = value
				}
			})
			text := clean(string(lead))
			if text == "" {
				text = clean(string(tail))
			}
			if text == "" {
				return
			}
			if d := declarationAt(fd, path); d != nil {
				out[d] = text
			}
		})
	})
	return out
}

// eachField visits the fields of a message that have a length.
func eachField(b []byte, visit func(protowire.Number, []byte)) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(b)
			if n < 0 {
				return
			}
			visit(number, value)
			b = b[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return
		}
		b = b[n:]
	}
}

// declarationAt returns the declaration at a path of numbers and indexes, as
// descriptor.proto defines it; nil if it is none that documents show.
func declarationAt(file protoreflect.FileDescriptor, path []byte) protoreflect.Descriptor {
	var at protoreflect.Descriptor = file
	for len(path) > 0 && at != nil {
		number, n := protowire.ConsumeVarint(path)
		if n < 0 || n == len(path) {
			return nil
		}
		i, m := protowire.ConsumeVarint(path[n:])
		if m < 0 {
			return nil
		}
		path = path[n+m:]
		at = child(at, number, int(i)) //nolint:gosec // child checks it
	}
	return at
}

func child(of protoreflect.Descriptor, number uint64, i int) protoreflect.Descriptor {
	switch of := of.(type) {
	case protoreflect.FileDescriptor:
		switch number {
		case fileMessages:
			return pick(of.Messages(), i)
		case fileEnums:
			return pick(of.Enums(), i)
		case fileServices:
			return pick(of.Services(), i)
		}
	case protoreflect.MessageDescriptor:
		switch number {
		case messageFields:
			return pick(of.Fields(), i)
		case messageMessages:
			return pick(of.Messages(), i)
		case messageEnums:
			return pick(of.Enums(), i)
		}
	case protoreflect.EnumDescriptor:
		if number == enumValues {
			return pick(of.Values(), i)
		}
	case protoreflect.ServiceDescriptor:
		if number == serviceMethods {
			return pick(of.Methods(), i)
		}
	}
	return nil
}

// declarations are a list of descriptors.
type declarations[D protoreflect.Descriptor] interface {
	Len() int
	Get(i int) D
}

func pick[D protoreflect.Descriptor](all declarations[D], i int) protoreflect.Descriptor {
	if i < 0 || i >= all.Len() {
		return nil
	}
	return all.Get(i)
}

// clean removes what comments have around their text: the space before each line, and
// what is between "(--" and "--)", which the API improvement proposals reserve for
// comments that are not published (AIP-192).
func clean(comment string) string {
	if strings.Contains(comment, "(--") {
		comment = withoutInternal(comment)
	}
	lines := strings.Split(strings.ReplaceAll(comment, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(line, " "), " \t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func withoutInternal(comment string) string {
	for {
		before, rest, found := strings.Cut(comment, "(--")
		if !found {
			return comment
		}
		_, after, _ := strings.Cut(rest, "--)")
		comment = before + after
	}
}

// summaryOf returns the first sentence of a comment, if it is short.
func summaryOf(comment string) string {
	first, _, _ := strings.Cut(comment, "\n\n")
	first = strings.Join(strings.Fields(first), " ")
	if i := strings.Index(first, ". "); i >= 0 {
		first = first[:i]
	}
	const longest = 120
	if len(first) > longest {
		return ""
	}
	return strings.TrimSuffix(first, ".")
}
