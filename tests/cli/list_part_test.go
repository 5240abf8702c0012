package cli

import (
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	grpcreflection "google.golang.org/grpc/reflection"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestPartOfASchema lists services that reflection names but does not describe.
func TestPartOfASchema(t *testing.T) {
	t.Parallel()
	whole := healthpb.File_grpc_health_v1_health_proto
	for _, services := range []listed{
		{"grpc.health.v1.Health": whole, "shop.Broken": lacking(t), "shop.Absent": nil},
		{"grpc.health.v1.Health": whole, "shop.Absent": nil},
	} {
		addr := reflectingServer(t, services)
		for _, args := range [][]string{{"list", addr, "-l"}, {"describe", addr}} {
			r := rig.Run(t, args...)
			rig.WantText(t, r.Stdout, "Check(")
			rig.WantText(t, r.Stderr, "shop.Absent")
			if services["shop.Broken"] != nil {
				rig.WantText(t, r.Stderr, "shop.Broken", "missing.proto")
			}
			if r.Status != 1 {
				t.Errorf("%v: status %d\n%s", args, r.Status, r.Stderr)
			}
		}
	}
}

// lacking returns a file whose import is unknown.
func lacking(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	fd, err := protodesc.FileOptions{AllowUnresolvable: true}.New(&descriptorpb.FileDescriptorProto{
		Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
		Dependency: []string{"missing.proto"},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Broken"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Buy"), InputType: proto.String(".shop.Missing"), OutputType: proto.String(".shop.Missing")},
		}}},
	}, new(protoregistry.Files))
	rig.Must(t, err)
	return fd
}

// listed are the services that a reflection service lists, with their files.
type listed map[string]protoreflect.FileDescriptor

// GetServiceInfo implements reflection.ServiceInfoProvider.
func (l listed) GetServiceInfo() map[string]grpc.ServiceInfo {
	info := make(map[string]grpc.ServiceInfo)
	for name := range l {
		info[name] = grpc.ServiceInfo{}
	}
	return info
}

// FindFileByPath implements protodesc.Resolver.
func (l listed) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	for _, fd := range l {
		if fd != nil && fd.Path() == path {
			return fd, nil
		}
	}
	return nil, protoregistry.NotFound
}

// FindDescriptorByName implements protodesc.Resolver.
func (l listed) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if fd := l[string(name)]; fd != nil {
		return fd.Services().ByName(name.Name()), nil
	}
	return nil, protoregistry.NotFound
}

// reflectingServer serves reflection only.
func reflectingServer(t *testing.T, services listed) string {
	t.Helper()
	return rig.LocalGRPC(t, func(srv *grpc.Server) {
		refv1.RegisterServerReflectionServer(srv, grpcreflection.NewServerV1(grpcreflection.ServerOptions{Services: services, DescriptorResolver: services}))
	})
}
