// Package schema turns .proto files and descriptor sets into immutable snapshots.
//
// A Compiler is made once from a list of sources and lives as long as the
// server does. Each call of Compile looks at what changed on disk, compiles that and what
// imports it, and returns a Snapshot:
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
// What is wrong in one file never touches a file that does not import it:
// a snapshot with errors still holds every good service. Services that cannot
// be served are listed by Broken, with the reasons.
//
// Snapshots share what did not change. A File of the new snapshot is the very
// same pointer as in the old one if neither its text nor anything it imports
// changed in meaning; when only its comments changed it is a new File with
// the same descriptor. So callers may use Files and descriptors as keys of
// what they derive from them.
//
// # How it compiles
//
//	sources -> inputs -> graph -> (parse -> lower -> describe -> link) per file -> Snapshot
//
// Sources are read into inputs, one for each import path; an input keeps its identity
// while its content does not change. The graph holds a node for each input that is
// served or imported. A node is worked on again when its input or
// anything in its import closure changed, in the order of imports and on all cores.
//
// The parser and the semantic analysis are protocompile's experimental ones; its
// executor is not used. The graph here knows which file each diagnostic belongs
// to, stops where a change turns out to mean nothing, and outlives a panic of the
// compiler in one file, which the executor takes for the end of the whole run.
// Nothing outside of this package names protocompile.
package schema
