// Package server tests the server with clients that this repository writes: calls
// of every shape, deadlines, health, reflection, middleware, start and shutdown,
// flags, and callers that break the rules of gRPC, of HTTP/2 or of protobuf.
package server
