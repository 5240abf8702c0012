package main

import (
	"flag"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// optionFlags are options of a grpc.Server. Those that are not set are left as
// the server has them.
type optionFlags struct {
	equal       bool
	workers     int
	readBuffer  int
	writeBuffer int
	window      int
}

const unset = -1

func (o *optionFlags) register(flags *flag.FlagSet) {
	flags.BoolVar(&o.equal, "equal", false, "use the same options for every kind: those of dyngate")
	flags.IntVar(&o.workers, "workers", unset, "stream workers")
	flags.IntVar(&o.readBuffer, "read-buffer", unset, "bytes to read from a connection at once")
	flags.IntVar(&o.writeBuffer, "write-buffer", unset, "bytes to write to a connection at once")
	flags.IntVar(&o.window, "window", unset, "static flow control window of connections and calls")
}

// serverOptions are given to a generated server, and last to dyngate, where
// they take the place of its own.
func (o *optionFlags) serverOptions() (opts []grpc.ServerOption) {
	if o.equal {
		opts = equalOptions()
	}
	if o.workers != unset {
		opts = append(opts, grpc.NumStreamWorkers(uint32(o.workers)))
	}
	if o.readBuffer != unset {
		opts = append(opts, grpc.ReadBufferSize(o.readBuffer))
	}
	if o.writeBuffer != unset {
		opts = append(opts, grpc.WriteBufferSize(o.writeBuffer))
	}
	if o.window != unset {
		opts = append(opts, grpc.StaticConnWindowSize(int32(o.window)), grpc.StaticStreamWindowSize(int32(o.window)))
	}
	return opts
}

// equalOptions are every option that dyngate sets by default, at dyngate's
// value: with them the servers differ in what they do with a call only.
func equalOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(4 << 20),
		grpc.MaxSendMsgSize(math.MaxInt32),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.MaxConcurrentStreams(1000),
		grpc.ConnectionTimeout(20 * time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 2 * time.Minute, Timeout: 20 * time.Second}),
		grpc.NumStreamWorkers(64),
	}
}
