package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func TestGuardSettlesWhatLeavesAHandler(t *testing.T) {
	for _, tt := range []struct {
		name   string
		serve  HandlerFunc
		code   codes.Code
		text   string
		logged string
	}{
		{"nothing", func(context.Context, Call) error { return nil }, codes.OK, "", ""},
		{"status", func(context.Context, Call) error { return status.Error(codes.NotFound, "gone") }, codes.NotFound, "gone", ""},
		{"wrapped status", func(context.Context, Call) error {
			return fmt.Errorf("looking: %w", status.Error(codes.NotFound, "gone"))
		}, codes.NotFound, "gone", ""},
		{"deadline", func(context.Context, Call) error { return fmt.Errorf("db: %w", context.DeadlineExceeded) }, codes.DeadlineExceeded, "", ""},
		{"canceled", func(context.Context, Call) error { return context.Canceled }, codes.Canceled, "", ""},
		{"plain", func(context.Context, Call) error { return errors.New("password is 1234") }, codes.Internal, "internal error", "password is 1234"},
		{"panic", func(context.Context, Call) error { panic("oh no") }, codes.Internal, "internal error", "oh no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			h := Guard(slog.New(slog.NewTextHandler(&log, nil)))(tt.serve)
			err := h.ServeRPC(t.Context(), &fakeCall{method: testMethod("pkg.Service/Method", false, false)})
			st := status.Convert(err)
			if st.Code() != tt.code || !strings.Contains(st.Message(), tt.text) {
				t.Errorf("error %v, want %s %q", err, tt.code, tt.text)
			}
			if tt.logged != "" && strings.Contains(st.Message(), tt.logged) {
				t.Errorf("%q reached the caller", tt.logged)
			}
			if !strings.Contains(log.String(), tt.logged) || (tt.logged == "") != (log.Len() == 0) {
				t.Errorf("logged %q, want %q", log.String(), tt.logged)
			}
		})
	}
}

func TestAccessLogWritesOneLineACall(t *testing.T) {
	m := testMethod("pkg.Service/Method", false, false)
	h, err := Unary(unaryMsg).Bind(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sample  float64
		handler Handler
		want    []string
	}{
		{1, h, []string{"method=pkg.Service/Method", "code=OK", "in=1", "in_bytes=5", "out=1", "out_bytes=11", "took_ms=", "peer=somewhere"}},
		{0, h, nil},
		{0, HandlerFunc(func(context.Context, Call) error { return status.Error(codes.NotFound, "gone") }), []string{"level=WARN", "code=NotFound", "gone"}},
	} {
		var log bytes.Buffer
		wrapped := AccessLog(slog.New(slog.NewTextHandler(&log, nil)), tt.sample)(tt.handler)
		_ = wrapped.ServeRPC(t.Context(), &fakeCall{method: m, in: named("you")})
		for _, want := range tt.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q is not in the log line %q", want, log.String())
			}
		}
		if lines := strings.Count(log.String(), "\n"); (lines == 1) != (tt.want != nil) || lines > 1 {
			t.Errorf("%d lines: %s", lines, log.String())
		}
	}
}

func TestDefaultDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := HandlerFunc(func(ctx context.Context, _ Call) error {
			<-ctx.Done()
			return ctx.Err()
		})
		methods := healthpb.File_grpc_health_v1_health_proto.Services().ByName("Health").Methods()
		list := &fakeCall{method: &Method{MethodDescriptor: methods.ByName("List")}}
		start := time.Now()
		_ = DefaultDeadline(time.Minute)(waits).ServeRPC(t.Context(), list)
		if got := time.Since(start); got != time.Minute {
			t.Errorf("a call without a deadline took %s, want a minute", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start = time.Now()
		_ = DefaultDeadline(time.Minute)(waits).ServeRPC(ctx, list)
		if got := time.Since(start); got != time.Hour {
			t.Errorf("a call with a deadline of an hour took %s", got)
		}
		watch := &fakeCall{method: &Method{MethodDescriptor: methods.ByName("Watch")}}
		none := HandlerFunc(func(ctx context.Context, _ Call) error {
			if _, has := ctx.Deadline(); has {
				t.Error("a watch of health has a deadline")
			}
			return nil
		})
		_ = DefaultDeadline(time.Minute)(none).ServeRPC(t.Context(), watch)
	})
}
