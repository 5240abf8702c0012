package render

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/jsonmsg"
)

// extraSpace matches the additional space that prototext writes after the colon of
// fields in some builds. A field has a line of its own, with neither space nor quote
// before its colon, so it never matches inside a string.
var extraSpace = regexp.MustCompile(`(?m)^( *[^ "]+:)  `)

func appendText(b []byte, m proto.Message, o Options) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // as jsonmsg has to
			err = fmt.Errorf("the message cannot be handled: %v", r)
		}
	}()
	options := prototext.MarshalOptions{Multiline: true, AllowPartial: true, Resolver: jsonmsg.AnyTypes(o.Types, m)}
	text, err := options.Marshal(m)
	if err != nil {
		return nil, errors.New(strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0"))
	}
	return append(b, escape(stable(text))...), nil
}

func stable(text []byte) []byte { return extraSpace.ReplaceAll(text, []byte("$1 ")) }

// escape writes control characters, and characters that change the direction of
// text, as \u escapes. They occur only in strings, and strings of JSON, of the text
// format, and of YAML in double quotes have such escapes.
func escape(text []byte) []byte {
	if bytes.IndexFunc(text, unsafeForTerminal) < 0 {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/8)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if unsafeForTerminal(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}

// unsafeForTerminal reports whether r is a control character outside of C0 (every
// format escapes those of C0), a mark or override of bidirectional text, or a line
// break of Unicode.
func unsafeForTerminal(r rune) bool {
	return r > ' ' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
