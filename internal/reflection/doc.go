// Package reflection reads the schema of a gRPC server through the server's
// reflection service, grpc.reflection.v1 or else v1alpha.
//
//	r := reflection.NewReader(conn, reflection.Options{})
//	names, err := r.Services(ctx)
//	files, err := r.Files(ctx, names)     // the file of each name, imports included
//	fd, err := files[names[0]].Link(ctx)  // a descriptor
//	set, err := r.All(ctx)                // everything at once
//
// # Reading
//
// Services, Files, FileOfExtension and All are operations. An operation uses one
// stream, asks ahead on it, and ends it. When the stream breaks (the server
// restarts, or the connection moves to another one) the operation opens another
// stream and asks for what is missing, as long as each stream brings answers. It
// asks once for each import that no answer brought.
//
// Files are kept as they came. Linking makes descriptors of a file and its
// imports when they are needed, and once. Comments are read on demand.
//
// # What servers get wrong
//
// A file that the server lacks, or has by another path, is replaced by the files
// that declare the types that its importer uses, or by the files that ship with
// dyngate. An import of which no type is used is dropped, and a missing import of
// google/protobuf is added. Two versions of one file, from a server that reloads,
// exist side by side: each answer is linked with the files that it brought.
//
// # Hostile servers
//
// Answers are checked before they are used: [Limits] bound what they cost, and
// wrong files, import cycles, invalid descriptors and answers to other questions
// are errors.
package reflection
