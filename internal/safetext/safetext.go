// Package safetext makes text that others wrote fit for a terminal and for a log
// of lines: servers, callers and schemas choose their names and messages
// themselves, and a terminal obeys control characters in them.
package safetext

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unsafe reports whether a terminal may obey r, or show the text around it in
// another order or on another line: control characters (C0 except line feed and
// tab, DEL, C1), bidirectional controls, and the line and paragraph separators
// of Unicode. For a rune that was decoded from invalid UTF-8, use [Clean].
func Unsafe(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// Clean replaces unsafe characters and invalid UTF-8 with U+FFFD. A carriage
// return at the end of a line is dropped.
func Clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune { // a byte of invalid UTF-8 arrives as U+FFFD
		if Unsafe(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Escape writes unsafe characters of a document as \\u escapes. It is for documents
// that have such characters only in strings, and whose strings know such escapes:
// JSON, protobuf's text format, YAML in double quotes.
func Escape(document []byte) []byte {
	if bytes.IndexFunc(document, Unsafe) < 0 {
		return document
	}
	out := make([]byte, 0, len(document)+len(document)/8)
	for len(document) > 0 {
		r, n := utf8.DecodeRune(document)
		if Unsafe(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, document[:n]...)
		}
		document = document[n:]
	}
	return out
}

// IsClean reports whether [Clean] returns s as it is, on one line.
func IsClean(s string) bool {
	return Clean(s) == s && !strings.ContainsAny(s, "\n\t")
}
