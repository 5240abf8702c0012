package framing

import (
	"bytes"
	"io"
)

// mark looks for a text that begins a line in what is read through it.
type mark struct {
	in    io.Reader
	text  []byte // with the line break before it
	end   []byte // the last bytes, which may be the beginning of the text
	found bool
}

func newMark(in io.Reader, text string) *mark {
	return &mark{in: in, text: []byte(text), end: []byte("\n")}
}

// Read implements io.Reader.
func (m *mark) Read(p []byte) (int, error) {
	n, err := m.in.Read(p)
	if m.found || n == 0 {
		return n, err
	}
	keep := len(m.text) - 1
	m.end = append(m.end, p[:min(n, keep)]...)
	m.found = bytes.Contains(m.end, m.text) || bytes.Contains(p[:n], m.text)
	if n >= keep {
		m.end = append(m.end[:0], p[n-keep:n]...)
	}
	m.end = m.end[max(0, len(m.end)-keep):]
	return n, err
}
