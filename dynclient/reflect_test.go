package dynclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynclient"
)

func TestIncompleteReflectionIsFilled(t *testing.T) {
	other := file(t, `name: "root/of/another/t.proto" package: "q" syntax: "proto3"
		message_type { name: "T" field { name: "at" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".r.U" } }
		dependency: "u.proto"`)
	third := file(t, `name: "elsewhere/u.proto" package: "r" syntax: "proto3" message_type { name: "U" }`)
	for name, files := range map[string][]*descriptorpb.FileDescriptorProto{
		"a shipped import is missing":         {serviceFile(t, "google.type.Money", "google/type/money.proto")},
		"a well-known import is missing":      {serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")},
		"a well-known import is not named":    {serviceFile(t, "google.protobuf.Timestamp")},
		"imports have other paths":            {serviceFile(t, "q.T", "t.proto"), other, third},
		"an import is missing that is unused": {serviceFile(t, "q.T", "t.proto", "my/options.proto"), other, third},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, (&fakeReflection{files: files}).serve(t))
			m, err := c.Schema().Method(t.Context(), "p.S/M")
			if err != nil {
				t.Fatal(err)
			}
			if m.Input().IsPlaceholder() || m.Input().Fields().Len() == 0 {
				t.Errorf("the request is %v", m.Input())
			}
			if !strings.Contains(m.Origin, "reflection (v1) of 127.0.0.1") {
				t.Errorf("it comes from %q", m.Origin)
			}
		})
	}
}

func TestBadReflection(t *testing.T) {
	chain := make([]*descriptorpb.FileDescriptorProto, 0, 3000)
	chain = append(chain, serviceFile(t, "q.T", "0.proto"))
	for i := range 2999 {
		chain = append(chain, file(t, fmt.Sprintf(`name: "%d.proto" package: "q" syntax: "proto3" dependency: "%d.proto"`, i, i+1)))
	}
	for name, tt := range map[string]struct {
		server *fakeReflection
		want   []string
	}{
		"hangs": {
			&fakeReflection{before: func(s refv1.ServerReflection_ServerReflectionInfoServer) error {
				<-s.Context().Done()
				return nil
			}},
			[]string{"DEADLINE_EXCEEDED"},
		},
		"is not there": {
			&fakeReflection{before: func(refv1.ServerReflection_ServerReflectionInfoServer) error {
				return status.Error(codes.Unimplemented, "no")
			}},
			[]string{"has no reflection service"},
		},
		"refuses": {
			&fakeReflection{before: func(refv1.ServerReflection_ServerReflectionInfoServer) error {
				return status.Error(codes.PermissionDenied, "not for you")
			}},
			[]string{"PERMISSION_DENIED", "not for you"},
		},
		"garbage":         {&fakeReflection{raw: [][]byte{[]byte("garbage\xff")}}, []string{"malformed"}},
		"an empty file":   {&fakeReflection{raw: [][]byte{{}}}, nil},
		"no files at all": {&fakeReflection{raw: [][]byte{}}, nil},
		"a cycle": {
			&fakeReflection{files: []*descriptorpb.FileDescriptorProto{
				serviceFile(t, "q.T", "a.proto"),
				file(t, `name: "a.proto" package: "q" syntax: "proto3" dependency: "b.proto" message_type { name: "T" }`),
				file(t, `name: "b.proto" package: "q" syntax: "proto3" dependency: "a.proto"`),
			}},
			[]string{"cycl", "a.proto", "b.proto"},
		},
		"an endless chain": {&fakeReflection{files: chain}, []string{"depth"}},
		"a missing import": {
			&fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "q.T", "lost.proto")}},
			[]string{"does not have lost.proto, which s.proto imports"},
		},
		"a missing type": {
			&fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "q.T")}},
			[]string{"q.T"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, tt.server.serve(t))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if name == "hangs" {
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			_, err := c.Schema().Method(ctx, "p.S/M")
			if err == nil {
				t.Fatal("no error")
			}
			var r *dynclient.ReflectionError
			var l *dynclient.LookupError
			if !errors.As(err, &r) && !errors.As(err, &l) {
				t.Errorf("a %T: %v", err, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if name != "hangs" && ctx.Err() != nil {
				t.Error("it took all the time there was")
			}
		})
	}
}

// TestServerThatLeavesTheStreamOpen checks that the client ends the stream
// gracefully but does not wait forever.
func TestServerThatLeavesTheStreamOpen(t *testing.T) {
	f := &fakeReflection{
		files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")},
		after: func(s refv1.ServerReflection_ServerReflectionInfoServer) error {
			<-s.Context().Done()
			return nil
		},
	}
	c := dial(t, f.serve(t))
	if _, err := c.Schema().Method(t.Context(), "p.S/M"); err != nil {
		t.Error(err)
	}
}

func TestReflectionV1Alpha(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")}}
	c := dial(t, serveReflection(t, func(s *grpc.Server) { refv1alpha.RegisterServerReflectionServer(s, alpha{f: f}) }))
	m, err := c.Schema().Method(t.Context(), "p.S/M")
	if err != nil || !strings.Contains(m.Origin, "v1alpha") {
		t.Errorf("got %v, %v", m, err)
	}
}

func TestReflectionIsAskedOnceAndAgainAfterARefresh(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")}}
	c := dial(t, f.serve(t))
	lookup := func() protoreflect.MethodDescriptor {
		m, err := c.Schema().Method(t.Context(), "p.S/M")
		if err != nil {
			t.Fatal(err)
		}
		return m.MethodDescriptor
	}
	first := lookup()
	asked := f.asked.Load()
	if lookup() != first || f.asked.Load() != asked {
		t.Error("it was asked again")
	}
	c.Schema().Refresh()
	if lookup() == first || f.asked.Load() == asked {
		t.Error("it was not asked again")
	}
}
