package rig

import (
	"context"
	"testing"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
)

// Reflectors returns a client of each version of reflection, by version. A client
// knows a name in one meaning only and caches it: use another one for files that
// declare the same names.
func Reflectors(ctx context.Context, conn *grpc.ClientConn) map[string]*grpcreflect.Client {
	return map[string]*grpcreflect.Client{
		"v1":      grpcreflect.NewClientV1(ctx, refv1.NewServerReflectionClient(conn)),
		"v1alpha": grpcreflect.NewClientV1Alpha(ctx, refv1alpha.NewServerReflectionClient(conn)),
	}
}

// Comment returns the comment of a service as reflection has it now.
func Comment(t testing.TB, conn *grpc.ClientConn, service string) string {
	t.Helper()
	client := Reflectors(Context(t), conn)["v1"]
	defer client.Reset()
	desc, err := client.ResolveService(service)
	if err != nil {
		t.Errorf("reflection: %v", err)
		return ""
	}
	return desc.GetSourceInfo().GetLeadingComments()
}
