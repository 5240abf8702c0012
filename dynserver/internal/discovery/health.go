package discovery

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// maxListed bounds the answer of Health.List.
const maxListed = 10_000

// Health answers grpc.health.v1.Health from the current generation. A service is
// SERVING if a handler answers at least one of its methods, also while it is stale.
// It is NOT_SERVING if no handler does, or if the server drains. Other services are
// unknown. The empty name stands for the whole server.
//
// grpc's own health server cannot remove services and does not end its watches when
// the server drains.
type Health struct {
	healthpb.UnimplementedHealthServer
	current func() *dispatch.Generation

	mu       sync.Mutex
	draining bool
	changed  chan struct{} // closed and replaced at every change
}

// NewHealth returns a Health for what current returns.
func NewHealth(current func() *dispatch.Generation) *Health {
	return &Health{current: current, changed: make(chan struct{})}
}

// Changed makes watchers look at the new generation.
func (h *Health) Changed() { h.change(false) }

// Drain makes all services NOT_SERVING for good, and ends the watches once they have
// sent that.
func (h *Health) Drain() { h.change(true) }

func (h *Health) change(drain bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = h.draining || drain
	close(h.changed)
	h.changed = make(chan struct{})
}

// state returns whether the server drains, and a channel that is closed at the next
// change.
func (h *Health) state() (draining bool, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.draining, h.changed
}

// Check implements Health.
func (h *Health) Check(_ context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	draining, _ := h.state()
	st := h.status(req.GetService(), draining)
	if st == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Errorf(codes.NotFound, "unknown service %.100q", req.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: st}, nil
}

// List implements Health.
func (h *Health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	draining, _ := h.state()
	services := h.current().Services
	if len(services) > maxListed {
		return nil, status.Errorf(codes.ResourceExhausted, "there are more than %d services", maxListed)
	}
	statuses := map[string]*healthpb.HealthCheckResponse{"": {Status: h.status("", draining)}}
	for _, s := range services {
		name := string(s.Desc.FullName())
		statuses[name] = &healthpb.HealthCheckResponse{Status: h.status(name, draining)}
	}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

// Watch implements Health.
func (h *Health) Watch(req *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	last := healthpb.HealthCheckResponse_ServingStatus(-1)
	for {
		draining, changed := h.state()
		if st := h.status(req.GetService(), draining); st != last {
			last = st
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: st}); err != nil {
				return err
			}
		}
		if draining {
			return status.Error(codes.Unavailable, "the server is shutting down")
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return status.FromContextError(stream.Context().Err()).Err()
		}
	}
}

func (h *Health) status(service string, draining bool) healthpb.HealthCheckResponse_ServingStatus {
	s := h.current().Service(protoreflect.FullName(service))
	switch {
	case service != "" && s == nil:
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
	case draining, s != nil && !s.Answered():
		return healthpb.HealthCheckResponse_NOT_SERVING
	default:
		return healthpb.HealthCheckResponse_SERVING
	}
}
