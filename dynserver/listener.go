package dynserver

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// Listener is a listener on which a [Server] accepts calls of one protocol.
// Make one with [GRPC] or [HTTP].
type Listener struct {
	net.Listener
	front func(*Server) front
}

// GRPC returns a listener that serves gRPC on lis. Config.GRPC sets its limits
// and TLS credentials.
func GRPC(lis net.Listener) Listener {
	return Listener{Listener: lis, front: func(s *Server) front { return s.grpc }}
}

// HTTP returns a listener that serves HTTP/1.1 and HTTP/2 on lis, with and without
// TLS. Config.HTTP sets its limits and TLS configuration.
func HTTP(lis net.Listener) Listener {
	return Listener{Listener: lis, front: func(s *Server) front { return s.http }}
}

// front accepts calls of one protocol on any number of listeners.
type front interface {
	// Serve accepts connections on lis, and closes it at the end. It returns nil
	// when the front stops.
	Serve(lis net.Listener) error

	// GracefulStop closes the listeners and waits for the calls in progress.
	GracefulStop()

	// Stop closes the listeners and all connections. It does not wait for handlers,
	// or only briefly, so that they can send the status of calls that are cut.
	Stop()
}

// fronts returns all fronts.
func (s *Server) fronts() []front { return []front{s.grpc, s.http} }

// accept serves a listener until its front stops.
func (s *Server) accept(l Listener) error {
	if l.front == nil || l.Listener == nil {
		return errors.New("dynserver: a Listener is empty: make it with GRPC or HTTP")
	}
	if err := l.front(s).Serve(l.Listener); err != nil {
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	}
	return nil
}

// drain waits until all fronts have stopped.
func (s *Server) drain() {
	var all sync.WaitGroup
	for _, f := range s.fronts() {
		all.Go(f.GracefulStop) // ends when the front's last handler returns
	}
	all.Wait()
}

// stop stops all fronts at once.
func (s *Server) stop() {
	for _, f := range s.fronts() {
		f.Stop()
	}
}
