package reflection

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Limits bound the cost of a server's answers. Zero means the default.
type Limits struct {
	AnswerBytes int           // size of one answer; default 16 MiB
	Bytes       int           // total size of all files; default 256 MiB
	Files       int           // number of files; default 50,000
	Depth       int           // levels of imports; default 256
	NameBytes   int           // length of a name or path in a request; default 1000
	Time        time.Duration // duration of one operation; default 5 minutes

	// Declarations limits the number of fields in the descriptors of all linked
	// files; default 8,000,000. One file may have an eighth of it. It exists
	// besides Bytes because a hostile file of some megabytes can take gigabytes
	// when it is linked.
	Declarations int

	// FullNameBytes limits the total length of the full names that one file
	// declares; default 16 MiB. Each full name repeats the names around it.
	FullNameBytes int
}

const (
	maxNesting = 64  // levels of messages in messages
	maxWays    = 200 // paths along public imports from one file: protodesc follows each
)

func (l Limits) withDefaults() Limits {
	or(&l.AnswerBytes, 16<<20)
	or(&l.Bytes, 256<<20)
	or(&l.Files, 50_000)
	or(&l.Depth, 256)
	or(&l.NameBytes, 1000)
	or(&l.Time, 5*time.Minute)
	or(&l.Declarations, 8_000_000)
	or(&l.FullNameBytes, 16<<20)
	return l
}

func or[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// tooMuch returns the error for an exceeded limit.
func tooMuch(format string, args ...any) error {
	return status.Errorf(codes.ResourceExhausted, format, args...)
}
