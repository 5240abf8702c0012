package dynamic

// maker allocates the parts of the messages inside one message. Small parts
// share blocks, so that a message of a hundred parts takes a few dozen
// allocations. Only messages without messages of their own share a block with
// others than the elements of their list: keeping one of them alive keeps no tree
// alive.
type maker struct {
	heads  pool[Message]
	nums   slab[uint64]
	strs   slab[string]
	lists  pool[textList]
	items  slab[string]
	tables pool[textTable]
	pairs  slab[entry[string, string]]
	depth  int // of the messages that are being merged
}

// textTable is what most maps are.
type textTable = table[string, string, texts, texts]

// Sizes of blocks.
const (
	maxParts  = 16   // of a pool
	numsBlock = 64   // words
	strsBlock = 32   // strings
	listBlock = 4096 // bytes, about, of the elements of a list that are made at once
)

// pool hands out single parts of blocks of 1, 2, 4 and up to maxParts.
type pool[T any] struct {
	free []T
	last int // size of the last block
}

func (p *pool[T]) take() *T {
	if len(p.free) == 0 {
		p.last = min(max(1, 2*p.last), maxParts)
		p.free = make([]T, p.last)
	}
	part := &p.free[0]
	p.free = p.free[1:]
	return part
}

// slab hands out short slices of blocks that double up to a limit.
type slab[T any] struct {
	free []T
	last int // size of the last block
}

// take returns a slice of n zero elements, which append does not let grow into
// its neighbour.
func (s *slab[T]) take(n, limit int) []T {
	if n > limit/4 {
		return make([]T, n)
	}
	if n > len(s.free) {
		s.last = min(max(n, 2*s.last), limit)
		s.free = make([]T, s.last)
	}
	part := s.free[:n:n]
	s.free = s.free[n:]
	return part
}

// single returns an empty message of its own field.
func (k *maker) single(t *Type) *Message {
	if !t.leaf() {
		return t.alone()
	}
	m := k.heads.take()
	m.typ = t
	m.nums = k.nums.take(t.nums, numsBlock)
	if t.strs > 0 {
		m.strs = k.strs.take(t.strs, strsBlock)
	}
	return m
}

// size is about what a message of the type takes, in bytes.
func (t *Type) size() int { return 88 + 8*t.nums + 16*(t.strs+t.refs) }

// fill makes messages for the elements of a list that are about to be read: as
// many as fit into the spare capacity behind v, and into a block. The decoder
// takes them from there.
func fill(t *Type, v []*Message) {
	spare := v[len(v):cap(v)]
	n := min(len(spare), max(1, listBlock/t.size()))
	heads := make([]Message, n)
	nums := make([]uint64, n*t.nums)
	strs := make([]string, n*t.strs)
	refs := make([]any, n*t.refs)
	for i := range heads {
		m := &heads[i]
		m.typ = t
		m.nums, nums = nums[:t.nums:t.nums], nums[t.nums:]
		m.strs, strs = strs[:t.strs:t.strs], strs[t.strs:]
		m.refs, refs = refs[:t.refs:t.refs], refs[t.refs:]
		spare[i] = m
	}
}

// alone returns an empty message that shares no memory, small ones in one
// allocation.
func (t *Type) alone() *Message {
	switch {
	case t.nums <= 2 && t.strs <= 2 && t.refs == 0:
		s := new(struct {
			m    Message
			nums [2]uint64
			strs [2]string
		})
		s.m = Message{typ: t, nums: s.nums[:t.nums:t.nums], strs: s.strs[:t.strs:t.strs]}
		return &s.m
	case t.nums <= 6 && t.strs <= 4 && t.refs <= 4:
		s := new(struct {
			m    Message
			nums [6]uint64
			strs [4]string
			refs [4]any
		})
		s.m = Message{typ: t, nums: s.nums[:t.nums:t.nums], strs: s.strs[:t.strs:t.strs], refs: s.refs[:t.refs:t.refs]}
		return &s.m
	}
	return &Message{typ: t, nums: make([]uint64, t.nums), strs: make([]string, t.strs), refs: make([]any, t.refs)}
}
