// Bench measures dyngate end to end on the loopback interface: against generated
// code on plain grpc-go, servers under the same client and clients with the same
// server, and over HTTP against the servers of the module in the folder peers:
//
//	go run ./tests/bench            # or: make bench
//	go run ./tests/bench --help
//
// What is measured is a process of its own: this program run again with the
// argument serve or call, or the program of peers. The parent is at the other end
// of its connection. To a server it is a client in a closed loop, which writes
// prebuilt frames or requests and never decodes a message (see load and webLoad); to
// a client it is a server that does the same (see replier): most of the machine is
// left to what is measured. Every
// cell of the table is measured several times in turns with its rivals; what is
// printed are medians, and medians of the ratios within a turn, which is what
// survives on a machine that does other things besides.
//
// Before each measurement one call is made whose request and reply are compared,
// decoded, with what they have to be; from then on every message must be as
// long, and every call end OK.
package main
