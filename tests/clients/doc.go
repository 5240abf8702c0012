// Package clients tests the server with clients that others wrote: grpcurl,
// protoreflect, grpc-go's interop client and generated stubs, and Python programs.
package clients
