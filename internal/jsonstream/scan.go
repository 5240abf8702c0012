package jsonstream

// class says which bytes the scan of a document stops at.
type class byte

const (
	plain class = iota
	opening
	closing
	quote
)

var classes = [256]class{'{': opening, '[': opening, '}': closing, ']': closing, '"': quote}

// inString are the bytes that a scan of a string stops at: control characters,
// which JSON does not allow there, among them.
var inString = func() (stops [256]bool) {
	for c := range ' ' {
		stops[c] = true
	}
	stops['"'], stops['\\'] = true, true
	return stops
}()

// scan is the state of looking for the end of a document.
type scan struct {
	depth  int
	string bool
	broken bool // a string cannot be right
}

// over returns the end of the document in b if it is there, and otherwise len(b) or
// more: then go on from there with more text.
func (s *scan) over(b []byte, i int) (end int, done bool) {
	for i < len(b) {
		if s.string {
			for i < len(b) && !inString[b[i]] {
				i++
			}
			if i == len(b) {
				break
			}
			switch b[i] {
			case '"':
				s.string = false
				i++
			case '\\':
				i += 2
			default:
				s.broken = true
				return i, true
			}
			continue
		}
		for i < len(b) && classes[b[i]] == plain {
			i++
		}
		if i == len(b) {
			break
		}
		switch classes[b[i]] {
		case quote:
			s.string = true
		case opening:
			s.depth++
		default:
			s.depth--
		}
		if i++; s.depth == 0 {
			return i, true
		}
	}
	return i, false
}

// bracketed returns the end of the object or list at the start of buf. ok is false if
// the document is something else, or breaks off, or is too large, or has a broken
// string.
func (r *Reader) bracketed() (end int, ok bool) {
	if classes[r.buf[0]] != opening {
		return 0, false
	}
	var s scan
	for {
		end, ok = s.over(r.buf[:min(len(r.buf), r.max)], end)
		if ok {
			return end, !s.broken
		}
		if len(r.buf) > r.max || r.fill() != nil {
			return 0, false
		}
	}
}
