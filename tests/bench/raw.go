package main

import (
	"context"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/handlers"
)

// rawHandlers take the bytes of the request and answer with bytes made
// beforehand: the floor, for what no handler can be faster than.
func rawHandlers() *handlers.Registry {
	reg := handlers.NewRegistry()
	for _, name := range serverScenarios {
		s := scenarioNamed(name)
		reg.Handle(s.method[1:], fixedReply(s.out))
	}
	return reg
}

func fixedReply(m proto.Message) handlers.Implementation {
	return handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		reply, err := proto.Marshal(m)
		if err != nil {
			return nil, err
		}
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			in, err := call.Recv()
			if err != nil {
				return err
			}
			in.Free()
			return call.Send(mem.BufferSlice{mem.SliceBuffer(reply)})
		}), nil
	})
}
