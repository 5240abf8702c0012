// Package tests holds the black-box tests, which see what users see: the dyngate
// binary, the packages dynserver, dynclient and handlers, and clients and servers
// that others wrote. Each folder has a counterpart:
//
//	server   calls and callers, good and hostile
//	web      the HTTP port: addresses, TLS, limits, pages of other origins
//	reload   files and registrations that change
//	client   servers that others wrote, for the library and the command line
//	cli      the command line
//	clients  clients that others wrote
//	webclients  those of the HTTP port: curl, buf curl, npm's clients, Chromium
//	conformance  the conformance suite of connectrpc.com
//	docs     the programs that the documentation shows
//	scale    googleapis, memory, the time of a reload
//	bench    calls per second, against generated code
//
// They share internal/rig; this folder itself tests which package imports which.
//
// A test is skipped if the client or server that it needs is not installed. With
// DYNGATE_REQUIRE_CLIENTS=1, as in CI, it fails instead. These variables say where
// things are:
//
//	GRPCURL                 grpcurl v1.9.4 (default: from PATH or the Go bin folder)
//	DYNGATE_CONNECTCONFORMANCE  connectconformance v1.0.6 (default: from PATH or the Go bin folder)
//	DYNGATE_PYTHON          a Python with grpcio and grpcio-tools (default: /usr/bin/python3)
//	DYNGATE_INTEROP_CLIENT  grpc-go's interop client (default: built at test time)
//	CURL, NODE, CHROMIUM    the programs (default: curl, node and chromium from PATH); `make web-clients` installs npm's packages
//	DYNGATE_SERVERS         what `make servers` installs (default: bin/servers)
//	DYNGATE_GOOGLEAPIS      a checkout of googleapis (default: its tests and benchmarks are skipped)
package tests
