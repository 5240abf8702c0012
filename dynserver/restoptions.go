package dynserver

import (
	"cmp"
	"net/http"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/restfront"
)

// RESTOptions are the settings of HTTP/JSON calls. The zero value of each field means
// its default.
type RESTOptions struct {
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

	// PingInterval is how often the callers of WebSockets are pinged. Default 30 s;
	// negative for never.
	PingInterval time.Duration
}

// newREST returns the front of HTTP/JSON.
func (s *Server) newREST() *restfront.Front {
	o, rest := s.config.HTTP, s.config.HTTP.REST
	return restfront.New(&s.current, restfront.Options{
		MaxBodyBytes:        cmp.Or(o.MaxRecvBytes, s.config.GRPC.MaxRecvBytes),
		MaxSendBytes:        cmp.Or(o.MaxSendBytes, s.config.GRPC.MaxSendBytes),
		MaxParams:           rest.MaxParams,
		IgnoreUnknownFields: rest.IgnoreUnknownFields,
		IgnoreUnknownParams: rest.IgnoreUnknownParams,
		KeepUpdateMask:      rest.KeepUpdateMask,
		EmitDefaults:        rest.EmitDefaults,
		EmitUnpopulated:     rest.EmitUnpopulated,
		ProtoNames:          rest.ProtoNames,
		EnumNumbers:         rest.EnumNumbers,
		Indent:              rest.Indent,
		RequestHeaders:      rest.RequestHeaders,
		ResponseHeaders:     rest.ResponseHeaders,
		MinCompressBytes:    rest.MinCompressBytes,
		KeepAlive:           rest.KeepAlive,
		PingInterval:        rest.PingInterval,
		WriteTimeout:        o.StallTimeout,
		AllowOrigin:         func(r *http.Request, _ string) bool { return s.http.AllowsOrigin(r) },
		Log:                 s.config.Log,
	})
}
