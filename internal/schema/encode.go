package schema

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/bufbuild/protocompile/experimental/fdp"
	"github.com/bufbuild/protocompile/experimental/ir"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
)

// Encode returns the file as the bytes of a FileDescriptorProto, with positions and comments if the file
// has them; nil while the file is broken. The bytes are shared: do not change them.
//
// It is cheaper than encoding DescriptorWithComments. The compiler caches some of the results for a
// while. An error means that ctx ended, or that the descriptor cannot be encoded.
func (f *File) Encode(ctx context.Context) ([]byte, error) {
	if f.linked == nil {
		return nil, nil
	}
	if f.encodings == nil {
		return f.encode()
	}
	return f.encodings.encode(ctx, f)
}

func (f *File) encode() ([]byte, error) {
	if content := f.encodeWithComments(); content != nil {
		return content, nil
	}
	return proto.Marshal(protodesc.ToFileDescriptorProto(f.linked.desc))
}

// encodeWithComments returns nil if the file has no comments.
func (f *File) encodeWithComments() (content []byte) {
	file := f.source.Load()
	if !f.comments || file == nil && f.input.proto.GetSourceCodeInfo() == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			content = nil // comments are optional: ignore the panic
		}
	}()
	var err error
	if file != nil {
		content, err = encode(file)
	} else {
		content, err = proto.Marshal(f.input.proto)
	}
	if err != nil {
		return nil
	}
	return content
}

// encode returns the descriptor proto of a compiled file, with comments.
func encode(file *ir.File) ([]byte, error) {
	for decl := range file.AST().Imports() {
		if decl.IsOption() { // the compiler's bytes are wrong: see fixPublicImports
			fd, _, err := describe(file, true)
			if err != nil {
				return nil, err
			}
			return proto.Marshal(fd)
		}
	}
	return fdp.DescriptorProtoBytes(file, fdp.IncludeSourceCodeInfo(true))
}

const (
	// maxEncodings limits the bytes of encoded files that a compiler caches. All of googleapis takes
	// 77 MB, a twelfth of its snapshot.
	maxEncodings = 128 << 20

	// encodingsTime is how long the cache is kept without being used.
	encodingsTime = time.Minute
)

// encodings is a cache of encoded files. A client that lists all services requests the same
// large file once for each service in it, and the next client requests the same files again.
type encodings struct {
	slots chan struct{} // limits how many files are encoded at once: each takes ten times its size
	limit int           // of size

	mu    sync.Mutex
	kept  map[*File][]byte
	size  int // of all cached files
	asked bool
	timer *time.Timer // nil if the cache is empty
}

func newEncodings() *encodings {
	return &encodings{
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)), limit: maxEncodings,
		kept: make(map[*File][]byte),
	}
}

func (e *encodings) encode(ctx context.Context, f *File) ([]byte, error) {
	if content := e.find(f); content != nil {
		return content, nil
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	f.mu.Lock() // others that need the same file wait here
	defer f.mu.Unlock()
	if content := e.find(f); content != nil {
		return content, nil
	}
	content, err := f.encode()
	if err == nil {
		e.keep(f, content)
	}
	return content, err
}

func (e *encodings) find(f *File) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = true
	return e.kept[f]
}

// keep caches an encoded file. It drops arbitrary files to make room: if it dropped the oldest, a
// client that reads more files than fit, in the same order each time, would find none of them.
func (e *encodings) keep(f *File, content []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(content) > e.limit {
		return
	}
	for other := range e.kept {
		if e.size+len(content) <= e.limit {
			break
		}
		e.drop(other)
	}
	e.kept[f] = content
	e.size += len(content)
	if e.timer == nil {
		e.timer = time.AfterFunc(encodingsTime, e.expire)
	}
}

func (e *encodings) drop(f *File) {
	e.size -= len(e.kept[f])
	delete(e.kept, f)
}

// expire empties the cache if it was not used since expire last ran.
func (e *encodings) expire() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.asked {
		e.asked = false
		e.timer.Reset(encodingsTime)
		return
	}
	clear(e.kept)
	e.size, e.timer = 0, nil
}

// prune drops the files that a new snapshot does not have.
func (e *encodings) prune(s *Snapshot) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for f := range e.kept {
		if s.byPath[f.Path()] != f {
			e.drop(f)
		}
	}
}
