package codec

import (
	"google.golang.org/grpc/mem"

	"github.com/dyngate/dyngate/internal/codec/structs"
)

// plain is the codec of a plain Go struct.
type plain[T any] struct {
	plan  *structs.Struct[T]
	alias bool
}

func (m plain[T]) Unmarshal(data mem.BufferSlice) (*T, error) {
	v := new(T)
	if m.alias {
		return v, m.plan.Unmarshal(collectable(data), v)
	}
	b, done := contiguous(data)
	defer done()
	return v, m.plan.Unmarshal(b, v)
}

func (m plain[T]) Marshal(v *T) (mem.Buffer, error) { return m.plan.Marshal(v, pool) }

// contiguous returns data as one slice that is valid until done is called.
func contiguous(data mem.BufferSlice) (b []byte, done func()) {
	if len(data) == 1 {
		return data[0].ReadOnlyData(), func() {}
	}
	buf := data.MaterializeToBuffer(pool)
	return buf.ReadOnlyData(), buf.Free
}

// collectable returns data as one garbage-collected slice, so that values may
// share it. It copies pooled buffers, because they are reused after they are
// freed.
func collectable(data mem.BufferSlice) []byte {
	if len(data) == 1 {
		if b, ok := data[0].(mem.SliceBuffer); ok {
			return b
		}
	}
	return data.Materialize()
}
