// Package restfront serves methods to any HTTP client: by their google.api.http
// rules, and at POST /pkg.Service/Method with plain JSON. docs/guides/http.md
// describes what callers see.
//
// # A request
//
// [Front.ServeHTTP] finds the endpoint: a binding of a method to a verb and a
// path, compiled once for each generation. The handler's first Recv reads the body
// and assembles the message, so that middleware runs before a byte of the body is
// read, and sees the errors in it. No message is built: query parameters, the body
// and path variables are appended to one buffer in the binary format, in this
// order. The format merges: of a singular field the last occurrence counts, so the
// path beats the body and the body beats the query.
//
// # A response
//
// The response of a method that does not stream is transcoded by Send and written
// when the handler has returned, with the HTTP status of the outcome. Streams are
// written by package framing, message by message.
//
// # Goroutines
//
// A request is served by the goroutine of net/http. A handler may leave goroutines
// behind that still receive or send, so a call is never reused, and finishing it
// makes their calls fail.
package restfront
