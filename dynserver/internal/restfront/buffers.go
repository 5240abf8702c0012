package restfront

import (
	"sync"

	"google.golang.org/grpc/mem"

	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// scratch has the buffers that reading a request or writing a response needs for a
// short time. It belongs to one goroutine.
type scratch struct {
	text []byte // a body, or the JSON of a response
	wire []byte // a message
	set  transcode.ParamSet
}

var scratches = sync.Pool{New: func() any { return &scratch{text: make([]byte, 0, 1<<10), wire: make([]byte, 0, 1<<10)} }}

// keptBuffer limits the buffers that are kept for reuse.
const keptBuffer = 64 << 10

func getScratch() *scratch {
	return scratches.Get().(*scratch) //nolint:forcetypeassert // the pool has nothing else
}

func (s *scratch) free() {
	if cap(s.text) > keptBuffer {
		s.text = nil
	}
	if cap(s.wire) > keptBuffer {
		s.wire = nil
	}
	scratches.Put(s)
}

// pool holds the buffers of larger messages. grpc's own has no sizes between 32 KiB and
// 1 MiB.
var pool = newPool()

func newPool() mem.BufferPool {
	p, err := mem.NewBinaryTieredBufferPool(10, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	if err != nil {
		panic(err) // cannot happen: the sizes are valid
	}
	return p
}
