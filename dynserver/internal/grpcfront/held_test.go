package grpcfront

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schema"
)

// TestHeldIsReleased makes calls that end in all ways at once, and checks that
// the connection, which goes on, holds nothing afterwards.
func TestHeldIsReleased(t *testing.T) {
	log, reg := slog.New(slog.DiscardHandler), handlers.NewRegistry()
	healthpb.RegisterHealthServer(reg, health.NewServer())
	builder := dispatch.Builder{Log: log, Own: reg.All()}
	generation, _ := builder.Build(nil, dispatch.Input{Snapshot: new(schema.Snapshot)})
	current := new(dispatch.Current)
	current.Swap(generation)
	s := New(Options{}, current, log)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // ends with Stop
	defer func() { s.Stop(); <-served }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := healthpb.NewHealthClient(conn)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%10+1)*time.Millisecond)
			defer cancel()
			if i%2 == 0 {
				ctx = metadata.AppendToOutgoingContext(ctx, "large", strings.Repeat("x", 10_000))
			}
			request := &healthpb.HealthCheckRequest{Service: strings.Repeat("x", i%3*40_000)}
			_, _ = client.Check(ctx, request, grpc.UseCompressor(gzip.Name))
			if stream, err := client.Watch(ctx, request); err == nil {
				_, _ = stream.Recv()
			}
			_, _ = client.Check(t.Context(), new(healthpb.HealthCheckRequest))
		})
	}
	wg.Wait()
	if s.limiter.count.Load() != 1 {
		t.Fatalf("%d connections are known, want 1", s.limiter.count.Load())
	}
	for deadline := time.Now().Add(10 * time.Second); s.limiter.held.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are still held", s.limiter.held.Load())
		}
	}
}

// TestBucket spends what a bucket has and gains.
func TestBucket(t *testing.T) {
	var b bucket
	if !b.take(10, 0, 10) || b.take(1, 0, 10) {
		t.Error("it does not hold 10")
	}
	if !b.take(-2, 0, 10) || b.take(2, 0, 10) {
		t.Error("what is put back is not there")
	}
}
