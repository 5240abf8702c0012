// Package schema turns .proto files and descriptor sets into immutable snapshots.
//
// A Compiler is made once from a list of sources and lives as long as the
// server. Each call of Compile reads what changed on disk, compiles those files and their
// importers, and returns a Snapshot:
//
//	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path("protos")}})
//	snap, err := c.Compile(ctx)
//	for _, service := range snap.Services() { ... }
//	for _, d := range snap.Errors() { ... }
//
// # What a snapshot promises
//
// Every file is linked against its own imports only, as protoc would link it
// alone, so two folders may define the same message differently. Only a service
// name must be unique among all files.
//
// An error in one file never affects a file that does not import it:
// a snapshot with errors still holds every good service. Broken lists the services that cannot
// be served, with the reasons.
//
// Snapshots share what did not change. A File of the new snapshot is the same pointer as in the old one
// if neither its text changed nor the meaning of its imports; if only its comments changed, it is a new File with
// the same descriptor. So callers may use Files and descriptors as keys for derived data.
//
// # Lookups
//
// Find, Method and Extension find declarations in a snapshot, File.Types the types in the import closure
// of one file, and File.Encode returns a descriptor with comments. An Index does the same for any list of files.
//
// # How it compiles
//
//	sources -> inputs -> graph -> (parse -> lower -> describe -> link) per file -> Snapshot
//
// Sources are read into inputs, one for each import path; an input stays the same pointer
// while its content does not change. The graph holds a node for each input that is
// served or imported. A node is compiled again when its input or
// anything in its import closure changed, in the order of imports and on all cores.
//
// The parser and the semantic analysis are protocompile's experimental ones; its
// executor is not used. This graph records which file each diagnostic belongs
// to, stops where a change does not change the meaning of a file, and survives a panic of the
// compiler in one file, which ends a whole run of the executor.
// Only this package imports protocompile.
package schema
