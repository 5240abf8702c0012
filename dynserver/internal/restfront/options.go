package restfront

import (
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// Options are the settings of a [Front]. The zero value of each field means its
// default; negative limits mean none.
type Options struct {
	// MaxBodyBytes bounds a request body after decompression, or each message in it if
	// the method streams requests, and the documents of a WebSocket. A larger one is
	// refused with 413 Content Too Large. Default 4 MiB.
	MaxBodyBytes int

	// MaxSendBytes bounds a response message, in the binary format. A larger one is not
	// sent; the caller gets RESOURCE_EXHAUSTED. Default 2 GiB - 1.
	MaxSendBytes int

	// MaxParams bounds the query parameters of a request, and the parts of a form.
	// Default 1000.
	MaxParams int

	// IgnoreUnknownFields skips members of JSON documents that the message does not
	// have, and names that an enum does not have. By default they are errors.
	IgnoreUnknownFields bool

	// IgnoreUnknownParams skips query parameters and form fields that the message
	// does not have, and a body where the method takes none. By default they are
	// errors.
	IgnoreUnknownParams bool

	// KeepUpdateMask leaves an empty update_mask of a PATCH request empty. By default
	// it is filled with the fields that the body sets.
	KeepUpdateMask bool

	// EmitDefaults writes fields without presence that have their zero value, and
	// empty lists and maps. EmitUnpopulated also writes null for fields with presence
	// that are not set, except for those in a oneof.
	EmitDefaults, EmitUnpopulated bool

	// ProtoNames writes the names of the schema instead of JSON names.
	ProtoNames bool

	// EnumNumbers writes enums as numbers.
	EnumNumbers bool

	// Indent writes answers that are not streams on several lines.
	Indent bool

	// RequestHeaders are more headers that become metadata under their own names. A
	// trailing * matches all names that begin so; "*" matches all.
	RequestHeaders []string

	// ResponseHeaders are more keys of response metadata that become headers under
	// their own names, in the same form. Others get the prefix Grpc-Metadata-.
	ResponseHeaders []string

	// MinCompressBytes is the size from which answers that are not streams are
	// compressed if the caller accepts it. Default 1 KiB; negative for never.
	MinCompressBytes int

	// KeepAlive is the time after which a quiet stream of Server-Sent Events gets a
	// comment. Default 15 s; negative for never.
	KeepAlive time.Duration

	// WriteTimeout is the time in which the caller must take a message of a stream.
	// Default 1 min; negative for none.
	WriteTimeout time.Duration

	// PingInterval is how often the callers of WebSockets are pinged. Default 30 s;
	// negative for never.
	PingInterval time.Duration

	// AllowOrigin reports whether a page of another origin may open a WebSocket. By
	// default none may.
	AllowOrigin func(r *http.Request, origin string) bool

	// Log is where mistakes of handlers are logged. Default slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.MaxBodyBytes = limit(o.MaxBodyBytes, 4<<20)
	o.MaxSendBytes = limit(o.MaxSendBytes, math.MaxInt32)
	o.MaxParams = limit(o.MaxParams, 1000)
	o.MinCompressBytes = def(o.MinCompressBytes, 1<<10)
	o.Log = def(o.Log, slog.Default())
	return o
}

func (o Options) decode() transcode.DecodeOptions {
	return transcode.DecodeOptions{IgnoreUnknown: o.IgnoreUnknownFields}
}

func (o Options) encode() transcode.EncodeOptions {
	return transcode.EncodeOptions{
		EmitDefaults: o.EmitDefaults, EmitUnpopulated: o.EmitUnpopulated,
		ProtoNames: o.ProtoNames, EnumNumbers: o.EnumNumbers,
	}
}

// limit returns a limit that is not more than the largest message.
func limit(n, otherwise int) int {
	if n = def(n, otherwise); n < 0 {
		return math.MaxInt32
	}
	return n
}

func def[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
