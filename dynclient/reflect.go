package dynclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// reflector answers from the server's reflection. Questions are put one after
// the other, each on a stream that ends with it: a stream left open would hold
// up a server that drains.
type reflector struct {
	conn   grpc.ClientConnInterface
	target string
	md     metadata.MD   // sent with every question
	sem    chan struct{} // held while a question is put

	mu      sync.Mutex
	session *session // what was learnt since the last refresh; nil if nothing
}

// session is what one reflection client has learnt.
type session struct {
	guard *guard
	asked *grpcreflect.Client
	types map[string]*schema.Types // by file

	mu    sync.Mutex
	known map[protoreflect.FullName]*Symbol // nil for a name that the server does not know
}

// maxKnown bounds how many names are remembered that the server does not know.
const maxKnown = 10_000

func newReflector(conn grpc.ClientConnInterface, target string, md metadata.MD) *reflector {
	return &reflector{conn: conn, target: target, md: md, sem: make(chan struct{}, 1)}
}

func (r *reflector) refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = nil
}

// current returns the session that questions belong to now.
func (r *reflector) current() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		g := &guard{ClientConnInterface: r.conn, md: r.md}
		// Its streams get their contexts from the guard, question by question.
		asked := grpcreflect.NewClientAuto(context.Background(), g)
		m := &mender{guard: g, asked: asked, mending: make(map[string]bool)}
		asked.AllowFallbackResolver(m, nil)
		r.session = &session{guard: g, asked: asked, types: make(map[string]*schema.Types), known: make(map[protoreflect.FullName]*Symbol)}
	}
	return r.session
}

// ask puts a question.
func (r *reflector) ask(ctx context.Context, question func(*session) error) (err error) {
	if err := acquire(ctx, r.sem); err != nil {
		return &ReflectionError{r.target, status.FromContextError(err).Err()}
	}
	defer func() { <-r.sem }()
	s := r.current()
	cancel := s.guard.begin(ctx)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the answer is malformed: %v", p)
		}
		finish(s.asked, cancel, err != nil)
		err = r.explain(ctx, s, err)
	}()
	return question(s)
}

// parting is how long a server may take to end the stream of a question.
const parting = 100 * time.Millisecond

// finish ends the stream of a question, politely if it went well.
func finish(asked *grpcreflect.Client, cancel context.CancelFunc, failed bool) {
	if failed {
		cancel()
	}
	timer := time.AfterFunc(parting, cancel)
	defer timer.Stop()
	asked.Reset()
	cancel()
}

func (r *reflector) explain(ctx context.Context, s *session, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = status.FromContextError(ctx.Err()).Err()
	case s.guard.failed != nil:
		err = s.guard.failed
		r.refresh() // it would fail for ever
	}
	return &ReflectionError{r.target, err}
}

// missingFile names the file that the server lacks, if that is what is wrong, and
// what imports it: the client's error ends in the one and begins with what was
// asked for.
func missingFile(err error, g *guard) error {
	if !grpcreflect.IsElementNotFoundError(err) {
		return err
	}
	text := err.Error()
	_, file, ok := strings.Cut(text[strings.LastIndexByte(text, '\n')+1:], "File not found: ")
	if !ok {
		return err
	}
	for _, fd := range g.files {
		if slices.Contains(fd.imports, file) {
			return fmt.Errorf("it does not have %s, which %s imports", file, fd.name)
		}
	}
	return fmt.Errorf("it does not have %s", file)
}

func (r *reflector) services(ctx context.Context) (names []protoreflect.FullName, err error) {
	err = r.ask(ctx, func(s *session) error {
		list, err := s.asked.ListServices()
		for _, name := range list {
			if full := protoreflect.FullName(name); full.IsValid() {
				names = append(names, full)
			}
		}
		return err
	})
	return names, err
}

func (r *reflector) find(ctx context.Context, names []protoreflect.FullName, found map[protoreflect.FullName]*Symbol) error {
	if names = r.current().recall(names, found); len(names) == 0 {
		return nil
	}
	return r.ask(ctx, func(s *session) (failure error) {
		for _, name := range names {
			sym, err := s.symbol(name)
			switch {
			case ctx.Err() != nil || s.guard.failed != nil || isGone(err):
				return err
			case err != nil:
				failure = joined(failure, err)
				continue
			case sym != nil:
				sym.Origin = fmt.Sprintf("reflection (%s) of %s", s.guard.version, r.target)
				found[name] = sym
			}
			s.remember(name, sym)
		}
		return failure
	})
}

// recall adds what is known of names to found, and returns those of which nothing
// is. It does not wait for questions that are being put.
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

func (s *session) remember(name protoreflect.FullName, sym *Symbol) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sym != nil || len(s.known) < maxKnown {
		s.known[name] = sym
	}
}

// symbol asks for a name; nil if the server does not know it.
func (s *session) symbol(name protoreflect.FullName) (*Symbol, error) {
	file, err := s.asked.FileContainingSymbol(string(name))
	if err != nil {
		if isNotFound(err, string(name)) {
			return nil, nil //nolint:nilnil // as the comment says
		}
		return nil, missingFile(err, s.guard)
	}
	fd := file.UnwrapFile()
	d := schema.Find(fd, name)
	if d == nil {
		return nil, nil //nolint:nilnil // as the comment says
	}
	return &Symbol{Descriptor: d, Types: s.typesOf(fd)}, nil
}

func (r *reflector) extension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) (x protoreflect.ExtensionDescriptor, err error) {
	err = r.ask(ctx, func(s *session) error {
		field, err := s.asked.ResolveExtension(string(message), int32(number))
		if err != nil {
			if grpcreflect.IsElementNotFoundError(err) || status.Code(err) == codes.NotFound {
				return nil
			}
			return err
		}
		x = field.UnwrapField()
		return nil
	})
	return x, err
}

// joined is errors.Join that leaves a single error as it is, for its status to
// read as it did.
func joined(all, err error) error {
	if all == nil {
		return err
	}
	return errors.Join(all, err)
}

// isGone reports whether asking for anything else would fail as well.
func isGone(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.Unimplemented, codes.Canceled, codes.DeadlineExceeded:
		return true
	}
	return false
}

// typesOf returns the resolver of a file, which gathers what it needs only once.
func (s *session) typesOf(fd protoreflect.FileDescriptor) *schema.Types {
	if s.types[fd.Path()] == nil {
		s.types[fd.Path()] = schema.NewTypes(fd)
	}
	return s.types[fd.Path()]
}

// isNotFound reports whether err says that the server does not know a symbol,
// and not that it does not know a file that the symbol needs. Servers that say
// so otherwise than the protocol has it are understood as well.
func isNotFound(err error, symbol string) bool {
	if grpcreflect.IsElementNotFoundError(err) {
		return err.Error() == "Symbol not found: "+symbol
	}
	switch status.Code(err) {
	case codes.NotFound, codes.InvalidArgument:
		return true
	}
	return false
}
