package dynamic

// maker allocates the parts of the messages inside one message. Small parts share
// blocks, so that a message of a hundred parts takes a few dozen allocations.
// Messages share a page with the elements of their list. Only messages without
// messages of their own share one with others: so keeping one of them alive keeps
// no tree of messages alive.
type maker struct {
	leaves leaves
	lists  pool[textList]
	items  runs[string]
	tables pool[textTable]
	pairs  runs[entry[string, string]]

	// How much of the input is read, about: the memory for the rest is estimated
	// from what was needed so far.
	read, length int

	left int // bytes that nested messages may still take

	depth int // of the messages that are being merged
}

// textTable is the most frequent kind of map.
type textTable = table[string, string, texts, texts]

// Sizes of blocks.
const (
	maxParts  = 16   // of a pool
	strsBlock = 32   // strings
	listBlock = 4096 // bytes, about, of the elements of a list that are made at once
)

// slab counts the elements that are handed out from blocks.
type slab struct {
	taken int // in all
	next  int // in the block
	size  int // of the block
}

// fits reports whether the block has room for n more.
func (s *slab) fits(n int) bool { return s.size-s.next >= n }

// renew starts a block with room for n elements, and for those that are likely to
// follow, up to a limit.
func (s *slab) renew(k *maker, n, limit int) int {
	s.next, s.size = 0, max(n, min(limit, k.remaining(s.taken)+n))
	return s.size
}

// remaining estimates how many more elements are needed, after taken ones: in
// proportion to the rest of the input, and a few more; without input, as many
// again.
func (k *maker) remaining(taken int) int {
	if k.read == 0 {
		return taken
	}
	return taken * (k.length - k.read) / k.read * 5 / 4
}

// take returns the index of the first of the next n elements.
func (s *slab) take(n int) int {
	at := s.next
	s.next += n
	s.taken += n
	return at
}

// pool hands out single elements from blocks.
type pool[T any] struct {
	slab
	block []T
}

func (p *pool[T]) part(k *maker) *T {
	if !p.fits(1) {
		p.block = make([]T, p.renew(k, 1, maxParts))
	}
	return &p.block[p.take(1)]
}

// runs hands out short slices from blocks.
type runs[T any] struct {
	slab
	block []T
}

// part returns a slice of n zero elements. Its capacity is n, so that append does
// not write into its neighbour.
func (s *runs[T]) part(k *maker, n, limit int) []T {
	if n > limit/4 {
		return make([]T, n)
	}
	if !s.fits(n) {
		s.block = make([]T, s.renew(k, n, limit))
	}
	at := s.take(n)
	return s.block[at : at+n : at+n]
}

// leaves hands out messages that have only a few numbers and strings.
type leaves struct {
	heads []Message // that are left
	page  *page     // of them
	nums  int       // what is handed out of the page
	strs  int
	taken int // messages, in all
}

// The room in a small block, and so the maximum for a leaf.
const (
	smallNums = 12
	smallStrs = 6
)

// A block of leaves is one allocation, of one of two sizes.
type (
	smallBlock struct {
		page  page
		heads [3]Message
		nums  [smallNums]uint64
		strs  [smallStrs]string
	}
	largeBlock struct {
		page  page
		heads [maxParts]Message
		nums  [52]uint64
		strs  [16]string
	}
)

// single returns an empty message for a singular field.
func (k *maker) single(t *Type) *Message {
	if t.refs > 0 || t.nums > smallNums || t.strs > smallStrs {
		return t.newUnshared()
	}
	l := &k.leaves
	if len(l.heads) == 0 || len(l.page.nums)-l.nums < t.nums || len(l.page.strs)-l.strs < t.strs {
		l.renew(k)
	}
	m := &l.heads[0]
	l.heads = l.heads[1:]
	*m = Message{typ: t, page: l.page, nums: uint32(l.nums), strs: uint32(l.strs)}
	l.nums += t.nums
	l.strs += t.strs
	l.taken++
	return m
}

func (l *leaves) renew(k *maker) {
	l.nums, l.strs = 0, 0
	if k.remaining(l.taken) > 6 {
		b := new(largeBlock)
		b.page = page{nums: b.nums[:], strs: b.strs[:]}
		l.page, l.heads = &b.page, b.heads[:]
		return
	}
	b := new(smallBlock)
	b.page = page{nums: b.nums[:], strs: b.strs[:]}
	l.page, l.heads = &b.page, b.heads[:]
}

// Nested messages take at most spareMemory plus memoryFactor times the length of the
// input. Each has room for all fields of its type, whether they are set or not.
const (
	spareMemory  = 64 << 20
	memoryFactor = 50
)

// newMaker returns a maker for reading an input of a length.
func newMaker(length int) *maker {
	return &maker{length: length, left: spareMemory + memoryFactor*length}
}

// size estimates the memory of a message of the type, in bytes.
func (t *Type) size() int { return 40 + 8*t.nums + 16*(t.strs+t.refs) }

// fill makes messages for the next elements of a list: as many as fit into the spare
// capacity after v, and into a block. The decoder takes them from there.
func fill(t *Type, v []*Message) {
	spare := v[len(v):cap(v)]
	n := min(len(spare), max(1, listBlock/t.size()))
	heads := make([]Message, n)
	p := t.newPage(n)
	for i := range heads {
		heads[i] = Message{typ: t, page: &p, nums: uint32(i * t.nums), strs: uint32(i * t.strs), refs: uint32(i * t.refs)}
		spare[i] = &heads[i]
	}
}

// newPage returns a page for n messages.
func (t *Type) newPage(n int) page {
	p := page{nums: make([]uint64, n*t.nums)}
	if t.strs > 0 {
		p.strs = make([]string, n*t.strs)
	}
	if t.refs > 0 {
		p.refs = make([]any, n*t.refs)
	}
	return p
}

// newUnshared returns an empty message that shares no memory. Small ones take one
// allocation.
func (t *Type) newUnshared() *Message {
	switch {
	case t.nums <= 2 && t.strs <= 2 && t.refs == 0:
		s := new(struct {
			m    Message
			page page
			nums [2]uint64
			strs [2]string
		})
		s.page = page{nums: s.nums[:], strs: s.strs[:]}
		s.m = Message{typ: t, page: &s.page}
		return &s.m
	case t.nums <= 6 && t.strs <= 4 && t.refs <= 4:
		s := new(struct {
			m    Message
			page page
			nums [6]uint64
			strs [4]string
			refs [4]any
		})
		s.page = page{nums: s.nums[:], strs: s.strs[:], refs: s.refs[:]}
		s.m = Message{typ: t, page: &s.page}
		return &s.m
	}
	s := new(struct {
		m    Message
		page page
	})
	s.page = t.newPage(1)
	s.m = Message{typ: t, page: &s.page}
	return &s.m
}
