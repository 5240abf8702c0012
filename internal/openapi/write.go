package openapi

import (
	"bufio"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/dyngate/dyngate/internal/safetext"
	"github.com/dyngate/dyngate/internal/yamltext"
)

// writer writes a document as JSON or YAML, value by value, so that no more of it
// than one value is in memory. Its users open containers, write keys and values,
// and close them.
type writer struct {
	out   *bufio.Writer
	yaml  bool
	stack []container
	keyed bool // a key has been written, its value comes next
}

// container is an object or a list that is being written.
type container struct {
	list  bool
	count int
	after place
}

// place says what stands before a container on its line in YAML.
type place int

const (
	atStart place = iota
	afterKey
	afterDash
)

func newWriter(w io.Writer, yaml bool) *writer {
	return &writer{out: bufio.NewWriterSize(w, 64<<10), yaml: yaml}
}

// put writes a text. An error is kept until finish.
func (w *writer) put(s string) { _, _ = w.out.WriteString(s) }

func (w *writer) putByte(b byte) { _ = w.out.WriteByte(b) }

// finish ends the document.
func (w *writer) finish() error {
	if !w.yaml {
		w.putByte('\n')
	}
	return w.out.Flush()
}

// member writes a member of the open object.
func (w *writer) member(key string, value any) {
	w.key(key)
	w.value(value)
}

// value writes a whole value.
func (w *writer) value(v any) {
	switch v := v.(type) {
	case object:
		w.open(false)
		for _, m := range v {
			w.member(m.key, m.value)
		}
		w.close()
	case list:
		w.open(true)
		for _, e := range v {
			w.value(e)
		}
		w.close()
	default:
		w.item()
		w.scalar(v)
		if w.yaml {
			w.putByte('\n')
		}
	}
}

// open begins a list or an object.
func (w *writer) open(isList bool) {
	c := container{list: isList}
	switch {
	case w.keyed:
		c.after = afterKey
	case len(w.stack) > 0:
		c.after = afterDash
	}
	w.item()
	w.stack = append(w.stack, c)
	if !w.yaml {
		w.putByte("{["[index(isList)])
	}
}

// close ends the list or object that was opened last.
func (w *writer) close() {
	c := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	switch {
	case !w.yaml:
		if c.count > 0 {
			w.line(len(w.stack))
		}
		w.putByte("}]"[index(c.list)])
	case c.count == 0:
		if c.after != atStart {
			w.putByte(' ')
		}
		w.put([]string{"{}\n", "[]\n"}[index(c.list)])
	}
}

func index(isList bool) int {
	if isList {
		return 1
	}
	return 0
}

// key writes the key of the next member.
func (w *writer) key(key string) {
	w.separate()
	if w.yaml {
		if yamltext.StyleOf(key) == yamltext.Plain {
			w.put(key)
		} else {
			w.quoted(key)
		}
		w.putByte(':')
	} else {
		w.quoted(key)
		w.put(": ")
	}
	w.keyed = true
}

// item begins a value: in a list it separates it from the one before.
func (w *writer) item() {
	if w.keyed {
		w.keyed = false
		return
	}
	if len(w.stack) == 0 {
		return
	}
	w.separate()
	if w.yaml {
		w.putByte('-')
	}
}

// separate begins a member or an element.
func (w *writer) separate() {
	c := &w.stack[len(w.stack)-1]
	c.count++
	if !w.yaml {
		if c.count > 1 {
			w.putByte(',')
		}
		w.line(len(w.stack))
		return
	}
	switch {
	case c.count == 1 && c.after == afterKey:
		w.line(len(w.stack) - 1)
	case c.count == 1 && c.after == afterDash:
		w.putByte(' ')
	default:
		w.indent(len(w.stack) - 1)
	}
}

// maxIndent bounds how many levels are indented.
const maxIndent = 64

func (w *writer) line(depth int) {
	w.putByte('\n')
	w.indent(depth)
}

func (w *writer) indent(depth int) {
	if !w.yaml {
		depth = min(depth, maxIndent)
	}
	for range depth {
		w.put("  ")
	}
}

func (w *writer) scalar(v any) {
	if w.yaml && len(w.stack) > 0 {
		w.putByte(' ')
	}
	switch v := v.(type) {
	case string:
		w.text(v)
	case bool:
		w.put(strconv.FormatBool(v))
	case int:
		w.put(strconv.Itoa(v))
	case number:
		w.put(string(v))
	default:
		w.put("null")
	}
}

func (w *writer) text(s string) {
	if w.yaml {
		switch yamltext.StyleOf(s) {
		case yamltext.Plain:
			w.put(s)
			return
		case yamltext.Lines:
			w.lines(s)
			return
		case yamltext.Quoted:
		}
	}
	w.quoted(s)
}

// lines writes the lines of a text as a block of YAML, without the last line break.
func (w *writer) lines(s string) {
	if s[len(s)-1] == '\n' {
		s = s[:len(s)-1]
		w.put("|")
	} else {
		w.put("|-")
	}
	for len(s) > 0 {
		end := 0
		for end < len(s) && s[end] != '\n' {
			end++
		}
		if w.putByte('\n'); end > 0 {
			w.indent(len(w.stack))
			w.put(s[:end])
		}
		s = s[min(end+1, len(s)):]
	}
}

const hex = "0123456789abcdef"

// quoted writes a string of JSON, which is one of YAML too.
func (w *writer) quoted(s string) {
	w.putByte('"')
	for len(s) > 0 {
		n := 0
		for n < len(s) && ' ' <= s[n] && s[n] < utf8.RuneSelf && s[n] != '"' && s[n] != '\\' && s[n] != 0x7f {
			n++
		}
		w.put(s[:n])
		if s = s[n:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '"' || r == '\\':
			w.putByte('\\')
			w.put(string(r))
		case r == '\n':
			w.put(`\n`)
		case r == '\t':
			w.put(`\t`)
		case safetext.Unsafe(r) && r <= 0xffff: // all of them
			w.put(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				w.putByte(hex[r>>shift&15])
			}
		default: // U+FFFD for invalid UTF-8
			w.put(string(r))
		}
		s = s[size:]
	}
	w.putByte('"')
}
