package schema

import "strings"

// maxNesting is far above what any schema needs, and far below what overflows a stack.
const maxNesting = 500

// tooDeep returns where a text nests deeper than maxNesting, or -1. The
// compiler recurses into brackets, and into runs of signs and words, and a Go
// stack that overflows cannot be recovered from: so this has to be found before.
func tooDeep(text string) int {
	depth, run := 0, 0
	inWord := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		word := c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
		switch {
		case word && inWord:
			continue
		case word || c == '-':
			run++
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == '/':
			i += comment(text[i:])
		case c == '"' || c == '\'':
			i += literal(text[i:])
			run = 0
		case c == '{' || c == '[' || c == '(' || c == '<':
			depth++
			run = 0
		case c == '}' || c == ']' || c == ')' || c == '>':
			depth = max(0, depth-1)
			run = 0
		default:
			run = 0
		}
		inWord = word
		if depth > maxNesting || run > maxNesting {
			return i
		}
	}
	return -1
}

// comment returns the offset of the last byte of the comment that text begins with.
func comment(text string) int {
	end := 0
	switch {
	case strings.HasPrefix(text, "//"):
		end = strings.IndexByte(text, '\n')
	case strings.HasPrefix(text, "/*"):
		if end = strings.Index(text[2:], "*/"); end >= 0 {
			end += 3
		}
	}
	if end < 0 {
		return len(text) - 1
	}
	return end
}

// literal returns the offset of the last byte of the string that text begins with.
func literal(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\n', text[0]:
			return i
		}
	}
	return len(text) - 1
}
