// Package render writes messages for people and scripts.
//
//	json    indented JSON, one document after the other
//	ndjson  JSON, a line for each message
//	yaml    YAML documents, with "---" between them
//	text    protobuf's text format, with "# ---" between messages
//	binary  protobuf's binary format
//
// In all but binary, control characters and characters that change the direction
// of text are escaped, wherever the message has them.
package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/safetext"
)

// Options configure a Printer. The zero value is good for messages whose types
// are linked in.
type Options struct {
	// Types finds what is packed into a google.protobuf.Any, and extensions.
	// Nil means protoregistry.GlobalTypes.
	Types codec.Types

	// EmitDefaults shows fields without presence that have their zero value,
	// empty lists and empty maps, in json, ndjson and yaml.
	EmitDefaults bool

	// Delimited writes the length of each message before it, as a varint, in
	// binary. It is needed for more than one message.
	Delimited bool
}

// Printer writes messages in one format. It is not safe for concurrent use.
type Printer struct {
	w       io.Writer
	format  format
	opts    Options
	printed bool
}

// format is a way to write messages.
type format struct {
	name      string
	separator string // between two messages
	append    func(b []byte, m proto.Message, o Options) ([]byte, error)
}

var formats = []format{
	{"json", "", appendJSON},
	{"ndjson", "", appendLine},
	{"yaml", "---\n", appendYAML},
	{"text", "# ---\n", appendText},
	{"binary", "", appendBinary},
}

// Formats returns the names of the formats.
func Formats() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// New returns a Printer that writes to w. It fails if the format is unknown.
func New(w io.Writer, name string, opts Options) (*Printer, error) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
	if i >= 0 {
		return &Printer{w: w, format: formats[i], opts: opts}, nil
	}
	hint := nearest.DidYouMean(nearest.Names(name, Formats(), 1))
	return nil, fmt.Errorf("unknown format %q%s; the formats are: %s", name, hint, strings.Join(Formats(), ", "))
}

// Print writes a message, in one Write. The same message always gives the same
// bytes. Required fields may be missing. Print does not bound how deeply the
// message is nested: the reader of the message does.
//
// It fails if the format cannot express the message, or the writer fails.
func (p *Printer) Print(m proto.Message) error {
	var b []byte
	if p.printed {
		b = append(b, p.format.separator...)
	}
	b, err := p.format.append(b, m, p.opts)
	if err != nil {
		return fmt.Errorf("%s as %s: %w", m.ProtoReflect().Descriptor().FullName(), p.format.name, err)
	}
	p.printed = true
	_, err = p.w.Write(b)
	return err
}

func appendJSON(b []byte, m proto.Message, o Options) ([]byte, error) {
	text, err := jsonmsg.Encode(m, o.Types, jsonmsg.EncodeOptions{EmitDefaults: o.EmitDefaults, Indent: true})
	return append(append(b, safetext.Escape(text)...), '\n'), err
}

func appendLine(b []byte, m proto.Message, o Options) ([]byte, error) {
	text, err := jsonmsg.Encode(m, o.Types, jsonmsg.EncodeOptions{EmitDefaults: o.EmitDefaults})
	return append(append(b, safetext.Escape(text)...), '\n'), err
}

func appendBinary(b []byte, m proto.Message, o Options) ([]byte, error) {
	options := proto.MarshalOptions{AllowPartial: true, Deterministic: true}
	if o.Delimited {
		b = protowire.AppendVarint(b, uint64(options.Size(m))) //nolint:gosec // never negative
	}
	return options.MarshalAppend(b, m)
}
