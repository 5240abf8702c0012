package dynamic

// page is the memory for the fields of some messages. Each message changes only its
// own elements.
//
// The presence bit of a field says whether its slot has a value. The content of
// other slots has no meaning.
type page struct {
	nums []uint64 // for each message, the presence bits and then its numbers
	strs []string
	refs []any // *Message, *[]byte, *list or *table, by field
}

// num returns the slot of a number.
func (m *Message) num(f *field) *uint64 { return &m.page.nums[m.nums+uint32(f.slot)] }

// str returns the slot of a string.
func (m *Message) str(f *field) *string { return &m.page.strs[m.strs+uint32(f.slot)] }

// ref returns the slot of a value of another kind.
func (m *Message) ref(f *field) *any { return &m.page.refs[m.refs+uint32(f.slot)] }

// marks returns the presence bits.
func (m *Message) marks() []uint64 {
	if m.page == nil {
		return nil
	}
	return m.page.nums[m.nums:][:m.typ.words]
}

// has reports whether the presence bit of f is set.
func (m *Message) has(f *field) bool {
	return m.page != nil && m.page.nums[m.nums+uint32(f.bit>>6)]>>(f.bit&63)&1 != 0
}

// numsOf returns the presence bits and numbers.
func (m *Message) numsOf() []uint64 { return m.page.nums[m.nums:] }

// setNumber stores a number.
func (m *Message) setNumber(f *field, x uint64) { f.setNumber(m.numsOf(), x) }

func (m *Message) setText(f *field, s string) {
	*m.str(f) = s
	if s == "" && f.implicit {
		f.unmark(m.numsOf())
	} else {
		f.mark(m.numsOf())
	}
}

func (m *Message) setBlob(f *field, b []byte) {
	*m.ref(f) = &b
	if len(b) == 0 && f.implicit {
		f.unmark(m.numsOf())
	} else {
		f.mark(m.numsOf())
	}
}

// setRef stores a list, a map or a message.
func (m *Message) setRef(f *field, ref any) {
	*m.ref(f) = ref
	f.mark(m.numsOf())
}
