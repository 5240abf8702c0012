package reflection

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Limits bound what a server's answers may cost a [Reader]. Zero stands for the
// default.
type Limits struct {
	AnswerBytes int           // of one answer; 16 MiB
	Bytes       int           // of all files; 256 MiB
	Files       int           // number of files; 50,000
	Depth       int           // of imports of imports; 256
	NameBytes   int           // of a name or path that is asked for; 1000
	Time        time.Duration // of one operation; 5 minutes

	// Declarations is how many fields the descriptors of all linked files may have;
	// 8,000,000. One file may have an eighth of that. A file of some megabytes can
	// be made to take gigabytes once it is linked: what it declares counts, too.
	Declarations int

	// FullNameBytes is the sum of the lengths of the full names that one file
	// declares; 16 MiB. Each full name repeats the names around it.
	FullNameBytes int
}

const (
	maxNesting = 64  // levels of messages in messages
	maxWays    = 200 // ways along public imports from one file: protodesc follows each
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

// tooMuch returns the error for a limit that a server exceeds.
func tooMuch(format string, args ...any) error {
	return status.Errorf(codes.ResourceExhausted, format, args...)
}
