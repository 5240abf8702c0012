package schema

import (
	"fmt"
	"strings"
)

// For some texts the compiler takes too much time or memory, or overflows its stack, which cannot
// be recovered. A text that exceeds one of these limits is refused before it is compiled. Real
// schemas are far below them.
const (
	maxNesting  = 100      // brackets in brackets; signs or words in a row; parts of a dotted name
	maxDigits   = 1000     // of a number: the compiler's time grows with the square of it
	maxExponent = 9999     // of a number: the compiler stores all zeros. The maximum of a double is 308.
	maxColumns  = 32 << 20 // sum of the columns of all reserved names: the compiler measures the line before each
	maxMistakes = 1000     // invalid characters: each is a diagnostic
)

// scan reads a text once and recognizes a few tokens. It returns the position where the text
// exceeds a limit, or -1, the reason, and the positions where a long text can be cut.
func scan(text string, maxNames int) (at int, why string, cuts []cut) {
	s := scanner{text: text, maxNames: maxNames, mistakes: mistakes{first: -1}}
	for s.at < len(text) && s.why == "" {
		s.next()
	}
	if s.why != "" {
		return s.from, s.why, nil
	}
	return -1, "", s.cuts
}

type scanner struct {
	text     string
	from, at int // of the current token: its start, and the current position
	why      string

	scopes      []int  // lengths of the names of the enclosing blocks, one for each bracket
	brackets    []byte // open ones, except angle brackets
	angles      int    // open angle brackets
	scope       int    // sum of scopes
	word        int    // length of the last word
	run, dots   int    // signs and words in a row; dots since the last end of a name
	inReserved  bool
	line        int // start of the current line
	columns     int
	inPackage   bool
	packageName int // bytes

	maxNames     int
	words, names int // number of words, and the sum of their scopes
	mistakes
	cutter
}

// mistakes counts invalid characters.
type mistakes struct {
	count, first int
}

func (s *scanner) refuse(format string, args ...any) {
	if s.why == "" {
		s.why = fmt.Sprintf(format, args...)
	}
}

func (s *scanner) mistake() {
	if s.count++; s.count == 1 {
		s.first = s.from
	}
	if s.count > maxMistakes {
		s.from = s.first
		s.refuse("more than %d characters cannot stand where they do, this being the first; is this a .proto file?", maxMistakes)
	}
}

// next reads a token, or the text between tokens.
func (s *scanner) next() {
	s.from = s.at
	c := s.text[s.at]
	switch {
	case c == 0:
		s.refuse("a NUL byte, which no .proto file may hold; is this a binary file?")
	case isDigit(c) || c == '.' && s.at+1 < len(s.text) && isDigit(s.text[s.at+1]):
		s.number()
		s.repeat()
	case isWord(c):
		for s.at < len(s.text) && isWord(s.text[s.at]) {
			s.at++
		}
		s.name(s.text[s.from:s.at])
		s.repeat()
	case c == '"' || c == '\'':
		s.literal()
		s.run = 0
	case c == '/':
		s.at += comment(s.text[s.at:]) + 1
		if i := strings.LastIndexByte(s.text[s.from:s.at], '\n'); i >= 0 {
			s.line = s.from + i + 1
		}
		if s.at == s.from+1 { // a slash alone
			s.mistake()
			s.run = 0
		}
	default:
		s.at++
		s.mark(c)
	}
}

func (s *scanner) repeat() {
	if s.run++; s.run > maxNesting {
		s.refuse("more than %d words or signs stand in a row here", maxNesting)
	}
}

// name counts a word, which may be a name in the current scope.
func (s *scanner) name(word string) {
	if s.inPackage {
		s.packageName += len(word) + 1
	} else if word == "package" && len(s.brackets) == 0 {
		s.inPackage = true
	}
	if s.inReserved {
		if s.columns += s.from - s.line; s.columns > maxColumns {
			s.refuse("too many reserved names are on this line; break it")
		}
	}
	s.inReserved = s.inReserved || word == "reserved" || word == "extensions"
	s.word = len(word)
	s.words++
	s.names += s.scope + s.word
	// The package may be declared after its members.
	if s.names+s.words*s.packageName > s.maxNames {
		s.refuse("the full names of what this file declares take more than %d bytes", s.maxNames)
	}
}

// mark handles a character that is a token, or part of none.
func (s *scanner) mark(c byte) {
	switch c {
	case '\n':
		s.line = s.at
		return
	case ' ', '\t', '\r', '\f', '\v':
		return
	case '-', '+':
		s.repeat()
		return
	case '.':
		if s.dots++; s.dots > maxNesting {
			s.refuse("a name has more than %d parts here", maxNesting)
		}
	case '{', '[', '(':
		s.open(c)
	case '}', ']', ')':
		s.close(c)
	case '<':
		s.angles++
		s.nest()
	case '>':
		s.angles = max(0, s.angles-1)
	case '=', ':':
		s.dots = 0
	case ',', ';':
		s.dots = 0
		s.inPackage = s.inPackage && c != ';'
		s.inReserved = s.inReserved && c != ';'
		s.separate(c, s.at)
	default:
		s.mistake()
	}
	s.run = 0
}

func (s *scanner) nest() {
	if len(s.brackets)+s.angles > maxNesting {
		s.refuse("more than %d brackets are nested here", maxNesting)
	}
}

func (s *scanner) open(c byte) {
	length := 0
	if c == '{' {
		length, s.dots = s.word+1, 0
	}
	s.word = 0
	s.brackets = append(s.brackets, c)
	s.scopes = append(s.scopes, length)
	s.scope += length
	s.enter(c, s.at)
	s.nest()
}

var opening = map[byte]byte{'}': '{', ']': '[', ')': '('}

// close ends a block. It treats brackets that do not match like the compiler: either one is
// missing before this one, or this one is superfluous.
func (s *scanner) close(c byte) {
	if c != ')' {
		s.dots = 0
	}
	matches := func(back int) bool {
		i := len(s.brackets) - back
		return i >= 0 && s.brackets[i] == opening[c]
	}
	ends := 0
	switch {
	case matches(1):
		ends = 1
	case matches(2):
		ends = 2
	}
	if ends != 1 {
		s.mistake()
	}
	for range ends {
		top := len(s.brackets) - 1
		s.scope -= s.scopes[top]
		s.brackets, s.scopes = s.brackets[:top], s.scopes[:top]
		s.leave(c, s.at)
	}
}
