package dynclient

import (
	"time"

	"github.com/dyngate/dyngate/internal/reflection"
	"github.com/dyngate/dyngate/internal/schema"
)

// SchemaLimits limit the memory, work and time of reading schemas. Zero values
// mean the defaults, which protect the client against hostile servers and files.
type SchemaLimits struct {
	Reflection ReflectionLimits
	Files      FileLimits
}

// ReflectionLimits apply to a server's reflection, up to the next refresh. A
// lookup that exceeds one of them fails with a [*ReflectionError].
type ReflectionLimits struct {
	AnswerBytes int           // size of one answer; default 16 MiB
	Bytes       int           // total size of all files; default 256 MiB
	Files       int           // number of files; default 50,000
	Depth       int           // levels of imports; default 256
	NameBytes   int           // length of a name or path in a request; default 1000
	Time        time.Duration // duration of one lookup; default 5 minutes

	// Declarations limits the number of fields in the descriptors of all linked
	// files; default 8,000,000. One file may have an eighth of it.
	Declarations int

	// FullNameBytes limits the total length of the full names that one file
	// declares; default 16 MiB.
	FullNameBytes int
}

// FileLimits apply to the folders, .proto files and descriptor sets among the
// sources. They are those of a server: see dynserver.SchemaLimits.
type FileLimits = schema.Limits

// WithSchemaLimits sets limits on the schema.
func WithSchemaLimits(l SchemaLimits) Option {
	return func(s *settings) {
		s.reflect.Limits = reflection.Limits(l.Reflection)
		s.files = l.Files
	}
}
