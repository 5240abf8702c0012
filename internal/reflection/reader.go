package reflection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Options configure a [Reader]. All fields are optional.
type Options struct {
	// Metadata is sent with each stream, after the metadata of the operation's
	// context.
	Metadata metadata.MD

	// Progress is called with the number of files read each time that it grows,
	// and with 0 when an operation ends.
	Progress func(files int)

	Limits Limits
}

// Reader reads the schema of one server. It is safe for concurrent use;
// operations on the server run one after the other.
//
// A Reader caches the files it has read. To read again, make another one. When
// the server has exceeded one of the [Limits] for all files, all operations
// fail.
type Reader struct {
	conn   grpc.ClientConnInterface
	opts   Options
	limits Limits
	sem    chan struct{} // held during an operation

	mu      sync.Mutex
	version version
	store   store
}

// NewReader returns a reader of the server at the other end of conn. It sends
// nothing before the first operation.
func NewReader(conn grpc.ClientConnInterface, o Options) *Reader {
	r := &Reader{conn: conn, opts: o, limits: o.Limits.withDefaults(), sem: make(chan struct{}, 1)}
	r.store = newStore(r.limits)
	return r
}

// Version returns the version of the protocol that the server speaks: v1 or
// v1alpha. It is v1 before the server has answered.
func (r *Reader) Version() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version.String()
}

// Services returns the names of the services that the server lists, in its
// order. It leaves out invalid and overlong names.
func (r *Reader) Services(ctx context.Context) ([]protoreflect.FullName, error) {
	q := &question{kind: listServices}
	if err := r.ask(ctx, []*question{q}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(q.services, func(name protoreflect.FullName) bool {
		return len(name) > r.limits.NameBytes || !name.IsValid()
	}), q.err
}

// Files returns the files that declare symbols (services, messages and so on),
// by symbol; nil for symbols that the server does not know. It reads the
// imports of the files too, but links nothing.
//
// The error joins those of the files that cannot be read. The result holds the
// others.
func (r *Reader) Files(ctx context.Context, symbols []protoreflect.FullName) (map[protoreflect.FullName]*File, error) {
	var questions []*question
	for _, name := range symbols {
		if name.IsValid() && len(name) <= r.limits.NameBytes {
			questions = append(questions, &question{kind: fileOfSymbol, name: string(name)})
		}
	}
	err := r.ask(ctx, questions)
	found := make(map[protoreflect.FullName]*File, len(questions))
	failed := make([]error, 0, len(questions))
	for _, q := range questions {
		if q.file != nil || q.err == nil && err == nil {
			found[protoreflect.FullName(q.name)] = q.file
		}
		failed = append(failed, q.err)
	}
	if err != nil {
		return found, err
	}
	return found, Join(failed...)
}

// FileOfExtension returns the file that declares an extension of a message; nil
// if the server knows none with that number.
func (r *Reader) FileOfExtension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) (*File, error) {
	if !message.IsValid() || len(message) > r.limits.NameBytes {
		return nil, nil //nolint:nilnil // as the comment says
	}
	q := &question{kind: fileOfExtension, name: string(message), number: int32(number)}
	if err := r.ask(ctx, []*question{q}); err != nil {
		return nil, err
	}
	return q.file, q.err
}

// FileByPath returns the file with an import path; nil if the server has none.
func (r *Reader) FileByPath(ctx context.Context, path string) (*File, error) {
	if path == "" || len(path) > r.limits.NameBytes {
		return nil, nil //nolint:nilnil // as the comment says
	}
	q := &question{kind: fileByPath, name: path}
	if err := r.ask(ctx, []*question{q}); err != nil {
		return nil, err
	}
	return q.file, q.err
}

// ask sends questions to the server, and questions about the imports of the
// files in its answers. The answers are in the questions. The error concerns
// all questions.
func (r *Reader) ask(ctx context.Context, questions []*question) error {
	if len(questions) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.limits.Time)
	defer cancel()
	select {
	case r.sem <- struct{}{}:
		defer func() { <-r.sem }()
	case <-ctx.Done():
		return contextError(ctx)
	}
	if err := r.exceeded(); err != nil {
		return err
	}
	op := &operation{
		reader: r, window: maxWindow, todo: newQueue(questions),
		asked: make(map[string]bool), importers: make(map[string][]*File),
		services: make(map[protoreflect.FullName]*File), visited: make(map[*File]bool),
	}
	if r.opts.Progress != nil {
		defer r.opts.Progress(0)
	}
	err := op.run(ctx)
	op.end(questions, err)
	return err
}

// exceeded returns the error for a limit on all files that was exceeded; nil if
// none was.
func (r *Reader) exceeded() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.exceeded
}

// Join joins errors and drops duplicates: one cause often affects many files.
// It returns a single error unchanged, so that its status keeps its message.
func Join(errs ...error) error {
	seen := make(map[string]bool)
	var all []error
	for _, err := range errs {
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			all = append(all, err)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// errUnexpected returns the error for an answer of another kind than its
// question.
func errUnexpected(q *question) error {
	return fmt.Errorf("the answer to the question for %s is of another kind", q)
}
