// Package tests is the black-box suite: it sees what users see, which is the
// dyngate binary, the packages dynserver, dynclient and handlers, and clients and
// servers that others have written: those are in the files foreign_*.
//
// Clients and servers that are not installed are skipped, unless
// DYNGATE_REQUIRE_CLIENTS=1 makes that a failure, as in CI. These variables say
// where things are:
//
//	GRPCURL                 grpcurl v1.9.4 (default: from PATH or the Go bin folder)
//	DYNGATE_PYTHON          a Python with grpcio and grpcio-tools (default: /usr/bin/python3)
//	DYNGATE_INTEROP_CLIENT  grpc-go's interop client (default: built at test time)
//	DYNGATE_SERVERS         what `make servers` installs (default: ../bin/servers)
//	DYNGATE_GOOGLEAPIS      a checkout of googleapis (default: its tests and benchmarks are skipped)
//
// The benchmarks here measure what takes milliseconds and more: an edit until it
// is live, a cold start. Those of calls are in the folder bench.
package tests
