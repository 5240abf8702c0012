// Package yamltext decides how a string is written in YAML, so that every version
// of YAML reads it as the same string.
package yamltext

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dyngate/dyngate/internal/safetext"
)

// Style is a way to write a string.
type Style int

// The styles.
const (
	Quoted Style = iota // in double quotes, as in JSON
	Plain               // as it is
	Lines               // as a block of lines, after "|"; keys cannot have it
)

// StyleOf returns the style of a string: without quotes if every version of YAML
// reads it as a string, lines for text of several lines.
func StyleOf(s string) Style {
	switch {
	case strings.ContainsFunc(s, safetext.Unsafe) || !utf8.ValidString(s):
	case isPlain(s):
		return Plain
	case isLines(s):
		return Lines
	}
	return Quoted
}

// notWords are not strings for YAML 1.1 or 1.2.
var notWords = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}

func isPlain(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	if !unicode.IsLetter(first) || strings.HasSuffix(s, " ") || slices.Contains(notWords, strings.ToLower(s)) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" _-./+@", r)
	})
}

// isLines reports whether s can be written as lines. A text that starts with a space
// or an empty line would need an indentation indicator.
func isLines(s string) bool {
	lines := strings.TrimSuffix(s, "\n")
	return strings.Contains(s, "\n") && !strings.Contains(s, "\r") && lines != "" && !strings.HasSuffix(lines, "\n") &&
		lines == strings.TrimLeftFunc(lines, unicode.IsSpace)
}
