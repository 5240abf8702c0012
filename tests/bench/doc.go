// Bench measures dyngate end to end against generated code on plain grpc-go,
// both under the same client on the loopback interface:
//
//	go run ./tests/bench            # or: make bench
//	go run ./tests/bench --help
//
// Each server is a process of its own: this program run again with the
// argument serve. The parent is the client: a closed loop on one connection,
// which writes prebuilt frames and never decodes a message (see load), so that
// most of the machine is left to the server. Every cell of the table is
// measured several times in turns with its rivals; what is printed are medians,
// and medians of the ratios within a turn, which is what survives on a machine
// that does other things besides.
//
// Before each measurement the client asks once and compares the reply, decoded,
// with what it has to be; from then on every reply must be as long and end OK.
package main
