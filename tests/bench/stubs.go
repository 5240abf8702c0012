package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// stub calls the method of one scenario.
type stub struct {
	close func() error

	// newCall returns a function that makes one call, with a request of its own,
	// and decodes the reply.
	newCall func() (func(context.Context) error, error)

	calls []func(context.Context) error // made so far
}

// dialStub connects a stub of a kind with a server.
func dialStub(ctx context.Context, kind, addr string, s scenario) (*stub, error) {
	greets := s.method == benchpb.Shop_Greet_FullMethodName
	if kind == "generated" {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		c := benchpb.NewShopClient(conn)
		if greets {
			return newStub(ctx, s, conn, decoded[benchpb.Hello], c.Greet, err)
		}
		return newStub(ctx, s, conn, decoded[benchpb.Order], c.Price, err)
	}
	c, err := dynclient.Dial(ctx, addr, dynclient.WithSources(dynclient.FS("benchpb", benchpb.FS)))
	if err != nil {
		return nil, err
	}
	switch {
	case kind == "struct" && greets:
		greet, err := dynclient.Unary[shop.Hello, shop.Greeting](c, s.method)
		return newStub(ctx, s, c, decoded[shop.Hello], greet, err)
	case kind == "struct":
		price, err := dynclient.Unary[shop.Order, shop.Order](c, s.method)
		return newStub(ctx, s, c, decoded[shop.Order], price, err)
	case kind == "dynamic":
		dynamic, err := dynclient.Unary[dynclient.Dynamic, dynclient.Dynamic](c, s.method)
		return newStub(ctx, s, c, built, dynamic, err)
	}
	return nil, fmt.Errorf("no such kind: %q", kind)
}

// newStub returns a stub that has made its first call, and whose reply is right.
func newStub[In, Out any](
	ctx context.Context, s scenario, conn io.Closer, request func(proto.Message) (*In, error),
	method func(context.Context, *In, ...grpc.CallOption) (*Out, error), err error,
) (*stub, error) {
	if err != nil {
		return nil, err
	}
	in, err := request(s.in)
	if err != nil {
		return nil, err
	}
	out, err := method(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := sameAs(s.out, out); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return &stub{close: conn.Close, newCall: func() (func(context.Context) error, error) {
		in, err := request(s.in)
		return func(ctx context.Context) error {
			_, err := method(ctx, in)
			return err
		}, err
	}}, nil
}

// decoded returns a message as the type that a stub takes.
func decoded[T any](m proto.Message) (*T, error) {
	data, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	c, err := codec.Bind[T](m.ProtoReflect().Descriptor(), nil, codec.Options{})
	if err != nil {
		return nil, err
	}
	return c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)})
}

// built returns a message as a program that does not know its type builds it.
func built(m proto.Message) (*dynclient.Dynamic, error) {
	d := dynamic.NewMessage(m.ProtoReflect().Descriptor())
	data, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &dynclient.Dynamic{Message: d}, proto.Unmarshal(data, d)
}

// sameAs compares what a stub returned with what it has to be.
func sameAs[T any](want proto.Message, got *T) error {
	c, err := codec.Bind[T](want.ProtoReflect().Descriptor(), nil, codec.Options{})
	if err != nil {
		return err
	}
	data, err := c.Marshal(got)
	if err != nil {
		return err
	}
	return equal(want, envelope(data.ReadOnlyData()))
}

// run implements caller, in the process of the stub.
func (s *stub) run(ctx context.Context, concurrency int, d time.Duration) (result, error) {
	for len(s.calls) < concurrency {
		call, err := s.newCall()
		if err != nil {
			return result{}, err
		}
		s.calls = append(s.calls, call)
	}
	latencies := make([][]time.Duration, concurrency)
	start := time.Now()
	var g errgroup.Group
	for i, call := range s.calls[:concurrency] {
		g.Go(func() error {
			for began := start; ; {
				if err := call(ctx); err != nil {
					return err
				}
				now := time.Now()
				latencies[i] = append(latencies[i], now.Sub(began))
				if began = now; now.Sub(start) >= d {
					return nil
				}
			}
		})
	}
	err := g.Wait()
	return result{Latencies: slices.Concat(latencies...), Took: time.Since(start)}, err
}
