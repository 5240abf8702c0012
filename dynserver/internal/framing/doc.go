// Package framing puts the JSON documents of a stream into HTTP bodies and
// WebSockets, and takes them out again. It also reads forms. It knows neither
// gRPC nor protobuf: a document is a run of bytes that its user encodes and
// decodes.
//
// # Responses
//
// [Choose] finds the format of a streamed response by the request's Accept
// header, and a [Writer] writes it. The formats are
//
//   - NDJSON (application/x-ndjson): one document a line. An error is a last
//     line {"error": STATUS}.
//   - Array (application/json): one JSON array, an element a document. An error
//     is a last element {"error": STATUS}. The array is closed in any case, so
//     the body is valid JSON.
//   - Events (text/event-stream): Server-Sent Events, an event a document. An
//     error is an event of the type "error" with the data {"error": STATUS}. The
//     last event has the type "end", without it a browser's EventSource connects
//     again. Comments keep a quiet stream alive.
//
// STATUS is a google.rpc.Status in JSON; the user of this package makes it.
//
// # Requests
//
// [NewReader] reads the documents of a request body: NDJSON, or an array, or
// documents that follow each other in any other way. [NewForm] reads the values
// and files of an HTML form.
//
// # WebSockets
//
// A [Socket] carries a document in each text frame, in both directions at once.
// An empty text frame from the client says that its last document has been sent.
// The server closes with 1000 after its last document; after an error it sends a
// text frame {"error": STATUS} and closes with 4000 plus the error's code.
package framing
