// Package reflection reads the schema of a gRPC server through the server's
// reflection service, grpc.reflection.v1 or else v1alpha.
//
//	r := reflection.NewReader(conn, reflection.Options{})
//	names, err := r.Services(ctx)
//	files, err := r.Files(ctx, names)     // the file of each name, with its imports
//	fd, err := files[names[0]].Link(ctx)  // a descriptor
//	set, err := r.All(ctx)                // everything at once
//
// # Reading
//
// Services, Files, FileOfExtension and All are operations. An operation uses
// one stream, and sends requests on it without waiting for each answer. When
// the stream breaks (the server restarts, or the connection moves to another
// one) the operation opens another stream for the missing answers, as long as
// each stream brings some. It asks once for each import that no answer
// contained.
//
// Files are stored as received. Linking makes descriptors of a file and its
// imports once, when they are needed. Comments are read on demand.
//
// # Incorrect servers
//
// A file that the server lacks, or has under another path, is replaced by the
// files that declare the types that its importer uses, or by the files that
// ship with dyngate. An import is dropped if none of its types is used, and a
// missing import of google/protobuf is added. Two versions of one file, from a
// server that reloads, can coexist: each answer is linked with the files in it.
//
// # Hostile servers
//
// Answers are checked before they are used: [Limits] bound their cost, and
// unrequested files, import cycles, invalid descriptors and answers to other
// questions are errors.
package reflection
