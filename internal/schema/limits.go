package schema

import "time"

// Limits bound what schemas may cost. Zero stands for the default.
type Limits struct {
	FileBytes int64 // of one .proto file; 8 MiB
	SetBytes  int64 // of one descriptor set; 256 MiB
	Files     int   // of one source; 100,000

	// NameBytes are those of the full names of all that one file declares, for each repeats the names
	// around it; 32 MiB.
	NameBytes int

	// Imports is how many files one file may import, directly or not; 3000.
	Imports int

	// ImportWork is how many bytes of imports may be worked on, counted again for each file that
	// imports them, for each byte of all files; 256, and 128 MiB for any set of files. googleapis
	// takes 6.
	ImportWork int

	// CompileTime is how long it may take to compile one file; a minute.
	CompileTime time.Duration
}

func (l Limits) withDefaults() Limits {
	or(&l.FileBytes, 8<<20)
	or(&l.SetBytes, 256<<20)
	or(&l.Files, 100_000)
	or(&l.NameBytes, 32<<20)
	or(&l.Imports, 3000)
	or(&l.ImportWork, 256)
	or(&l.CompileTime, time.Minute)
	return l
}

func or[T int | int64 | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}
