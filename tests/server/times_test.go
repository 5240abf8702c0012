package server

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestTimesOutOfRange sends valid messages whose values no time.Time or time.Duration
// can have.
func TestTimesOutOfRange(t *testing.T) {
	t.Parallel()
	type numbers struct{ Seconds, Nanos int64 }
	reg := handlers.NewRegistry()
	reg.Handle("times.Plain/At", handlers.Unary(func(_ context.Context, in *time.Time) (*time.Time, error) { return in, nil }))
	reg.Handle("times.Plain/Took", handlers.Unary(func(_ context.Context, in *time.Duration) (*time.Duration, error) { return in, nil }))
	reg.Handle("times.Plain/Far", handlers.Unary(func(context.Context, *struct{}) (*time.Time, error) {
		far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
		return &far, nil
	}))
	reg.Handle("times.Whole/At", handlers.Unary(func(_ context.Context, in *numbers) (*numbers, error) { return in, nil }))
	reg.Handle("times.Whole/Took", handlers.Unary(func(_ context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) { return in, nil }))
	dir := rig.Folder(t, map[string]string{"times.proto": `syntax = "proto3";
package times;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
service Plain {
  rpc At(google.protobuf.Timestamp) returns (google.protobuf.Timestamp);
  rpc Took(google.protobuf.Duration) returns (google.protobuf.Duration);
  rpc Far(google.protobuf.Empty) returns (google.protobuf.Timestamp);
}
service Whole {
  rpc At(google.protobuf.Timestamp) returns (google.protobuf.Timestamp);
  rpc Took(google.protobuf.Duration) returns (google.protobuf.Duration);
}
`})
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}, Handlers: reg})
	for _, c := range []struct {
		method string
		in     proto.Message
		want   codes.Code // of Plain; Whole accepts all
	}{
		{"At", &timestamppb.Timestamp{Seconds: 253402300799, Nanos: 999999999}, codes.OK},
		{"At", &timestamppb.Timestamp{Seconds: 253402300800}, codes.InvalidArgument},
		{"At", &timestamppb.Timestamp{Seconds: -62135596800}, codes.OK},
		{"At", &timestamppb.Timestamp{Seconds: -62135596801}, codes.InvalidArgument},
		{"At", &timestamppb.Timestamp{Nanos: -1}, codes.InvalidArgument},
		{"Took", &durationpb.Duration{Seconds: -9223372036, Nanos: -854775808}, codes.OK},
		{"Took", &durationpb.Duration{Seconds: 9223372036, Nanos: 854775808}, codes.InvalidArgument},
		{"Took", &durationpb.Duration{Seconds: 315576000000}, codes.InvalidArgument},
		{"Took", &durationpb.Duration{Seconds: 1, Nanos: -1}, codes.InvalidArgument},
	} {
		for service, want := range map[string]codes.Code{"Plain": c.want, "Whole": codes.OK} {
			out := c.in.ProtoReflect().New().Interface()
			err := s.Conn.Invoke(t.Context(), "/times."+service+"/"+c.method, c.in, out)
			rig.WantCode(t, err, want)
			if err == nil && !proto.Equal(out, c.in) {
				t.Errorf("%s/%s: sent %v, got %v", service, c.method, c.in, out)
			}
		}
	}
	err := s.Conn.Invoke(t.Context(), "/times.Plain/Far", &timestamppb.Timestamp{}, new(timestamppb.Timestamp))
	rig.WantCode(t, err, codes.Internal)
}
