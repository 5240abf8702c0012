package dynclient

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/reflection"
	"github.com/dyngate/dyngate/internal/schema"
)

// reflector answers from the server's reflection.
type reflector struct {
	conn   grpc.ClientConnInterface
	target string
	opts   reflection.Options

	mu      sync.Mutex
	session *session // nil until the first lookup after a refresh
}

// session caches the results of one reader.
type session struct {
	reader *reflection.Reader

	mu    sync.Mutex
	known map[protoreflect.FullName]*Symbol          // nil for names that the server does not know
	read  map[protoreflect.FullName]*reflection.File // files of services that are not in known yet
}

// maxKnown limits the number of unknown names that a session keeps.
const maxKnown = 10_000

func newReflector(conn grpc.ClientConnInterface, target string, o reflection.Options) *reflector {
	return &reflector{conn: conn, target: target, opts: o}
}

func (r *reflector) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = nil
}

// current returns the current session.
func (r *reflector) current() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		r.session = &session{
			reader: reflection.NewReader(r.conn, r.opts),
			known:  make(map[protoreflect.FullName]*Symbol),
			read:   make(map[protoreflect.FullName]*reflection.File),
		}
	}
	return r.session
}

// explain returns err as a [*ReflectionError]. If the server exceeded a limit,
// it drops the session, whose reader cannot be used any more.
func (r *reflector) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = status.FromContextError(ctx.Err()).Err()
	} else if status.Code(err) == codes.ResourceExhausted {
		r.refresh()
	}
	return &ReflectionError{r.target, err}
}

func (r *reflector) services(ctx context.Context) ([]protoreflect.FullName, error) {
	names, err := r.current().reader.Services(ctx)
	return names, r.explain(ctx, err)
}

func (r *reflector) find(ctx context.Context, names []protoreflect.FullName, found map[protoreflect.FullName]*Symbol) error {
	s := r.current()
	if names = s.recall(names, found); len(names) == 0 {
		return nil
	}
	files, err := s.files(ctx, names)
	origin := fmt.Sprintf("reflection (%s) of %s", s.reader.Version(), r.target)
	failed := []error{err}
	for _, name := range names {
		f, asked := files[name]
		if !asked {
			continue
		}
		sym, err := symbolOf(ctx, s.reader, f, name)
		if ctx.Err() != nil {
			return r.explain(ctx, ctx.Err())
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if sym != nil {
			sym.Origin = origin
			found[name] = sym
		}
		s.remember(name, sym)
	}
	return r.explain(ctx, reflection.Join(failed...))
}

// symbolOf links a file and returns a symbol that it declares; nil if f is nil
// or does not declare it.
func symbolOf(ctx context.Context, r *reflection.Reader, f *reflection.File, name protoreflect.FullName) (*Symbol, error) {
	if f == nil {
		return nil, nil //nolint:nilnil // as the comment says
	}
	fd, err := f.Link(ctx)
	if err != nil {
		return nil, err
	}
	d := schema.Find(fd, name)
	if d == nil {
		return nil, nil //nolint:nilnil // as the comment says
	}
	return &Symbol{Descriptor: d, Types: f.Types(), commented: r.WithComments}, nil
}

// recall adds the cached symbols to found, and returns the names that are not
// cached. It does not wait for the server.
func (s *session) recall(names []protoreflect.FullName, found map[protoreflect.FullName]*Symbol) (rest []protoreflect.FullName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		switch sym, ok := s.known[name]; {
		case sym != nil:
			found[name] = sym
		case !ok:
			rest = append(rest, name)
		}
	}
	return rest
}

// files returns the files of names; nil for names that the server does not know. It
// asks the server only for files that were not read yet.
func (s *session) files(ctx context.Context, names []protoreflect.FullName) (map[protoreflect.FullName]*reflection.File, error) {
	read := make(map[protoreflect.FullName]*reflection.File)
	var rest []protoreflect.FullName
	s.mu.Lock()
	for _, name := range names {
		if f := s.read[name]; f != nil {
			read[name] = f
		} else {
			rest = append(rest, name)
		}
	}
	s.mu.Unlock()
	found, err := s.reader.Files(ctx, rest)
	maps.Copy(read, found)
	return read, err
}

func (s *session) remember(name protoreflect.FullName, sym *Symbol) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.read, name)
	if sym != nil || len(s.known) < maxKnown {
		s.known[name] = sym
	}
}

// methods reads the files of services without linking them.
func (r *reflector) methods(ctx context.Context, services []protoreflect.FullName, found map[protoreflect.FullName][]protoreflect.Name) error {
	s := r.current()
	files, err := s.files(ctx, services)
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range files {
		if f == nil {
			continue
		}
		s.read[name] = f
		for _, service := range f.Services() {
			if service.Name == name {
				found[name] = service.Methods
			}
		}
	}
	return r.explain(ctx, err)
}

func (r *reflector) extension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) (x protoreflect.ExtensionDescriptor, err error) {
	f, err := r.current().reader.FileOfExtension(ctx, message, number)
	if f == nil || err != nil {
		return nil, r.explain(ctx, err)
	}
	fd, err := f.Link(ctx)
	if err != nil {
		return nil, r.explain(ctx, err)
	}
	schema.EachExtension(fd, func(d protoreflect.ExtensionDescriptor) {
		if d.Number() == number && d.ContainingMessage().FullName() == message {
			x = d
		}
	})
	return x, nil
}
