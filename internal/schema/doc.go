// Package schema turns .proto files and descriptor sets into immutable snapshots.
//
// A Compiler is made once from a list of sources and used as long as the server runs.
// Each call of Compile reads the changed files, compiles them and their importers, and
// returns a Snapshot:
//
//	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path("protos")}})
//	snap, err := c.Compile(ctx)
//	for _, service := range snap.Services() { ... }
//	for _, d := range snap.Errors() { ... }
//
// # Snapshots
//
// Every file is linked against its own imports only, as if protoc compiled it
// alone, so two folders may define the same message differently. Only service
// names must be unique among all files.
//
// An error in one file never affects a file that does not import it: a snapshot with errors
// still contains every good service. Broken lists the services that cannot be served, with the
// reasons.
//
// Snapshots share unchanged files. A File of the new snapshot is the same pointer as in the old one
// if neither its text nor the meaning of its imports changed; if only its comments changed, it is a
// new File with the same descriptor. So callers may use Files and descriptors as keys for derived
// data.
//
// # Lookups
//
// Find, Method and Extension find declarations in a snapshot, File.Types the types in the import closure
// of one file, and File.Encode returns a descriptor with comments. An Index does the same for any list of files.
//
// # Compilation
//
//	sources -> inputs -> graph -> (parse -> lower -> describe -> link) per file -> Snapshot
//
// Sources are read into inputs, one for each import path; an input stays the same pointer
// while its content does not change. The graph holds a node for each input that is
// served or imported. A node is compiled again when its input or
// anything in its import closure changed, in the order of imports and on all cores.
//
// The parser and the semantic analysis are protocompile's experimental ones; its executor is
// not used. This graph records which file each diagnostic belongs to, stops at files whose
// meaning did not change, and continues after a panic of the compiler in one file, which
// would end a whole run of the executor. Only this package imports protocompile.
package schema
