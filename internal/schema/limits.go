package schema

import "time"

// Limits bound the cost of schemas. Zero means the default.
type Limits struct {
	FileBytes int64 // size of one .proto file; default 8 MiB
	SetBytes  int64 // size of one descriptor set; default 256 MiB
	Files     int   // number of files in one source; default 100,000

	// NameBytes limits the total length of the full names that one file declares; default 32 MiB.
	// Each full name repeats the names around it.
	NameBytes int

	// Imports limits the number of files that one file imports, directly or
	// indirectly; default 3000.
	Imports int

	// ImportWork bounds the total size of imports, as a multiple of the size of all files;
	// default 256, but at least 128 MiB. An import counts once for each file that imports it.
	// googleapis needs 6.
	ImportWork int

	// CompileTime limits the time to compile one file; default one minute.
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
