package httpcall

import "google.golang.org/grpc/mem"

// MaxSmall is the size of the largest message that a Small holds.
const MaxSmall = 64

// Small is a small message with its buffers, in one allocation.
type Small struct {
	buffers [1]mem.Buffer
	buffer  mem.SliceBuffer
	bytes   [MaxSmall]byte
}

// Copy returns a copy of b, which fits.
func (s *Small) Copy(b []byte) mem.BufferSlice {
	s.buffer = append(s.bytes[:0:len(b)], b...)
	s.buffers[0] = &s.buffer
	return s.buffers[:]
}

// Message returns a copy of b, which the receiver owns. The buffer of a message that is
// not small is from pool.
func Message(b []byte, pool mem.BufferPool) mem.BufferSlice {
	if len(b) > MaxSmall {
		return mem.BufferSlice{mem.Copy(b, pool)}
	}
	return new(Small).Copy(b)
}
