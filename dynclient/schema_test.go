package dynclient_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/protos"
)

func TestMatch(t *testing.T) {
	files := dynclient.NewSchema(dynclient.FS("protos", protos.FS), dynclient.Reflection())
	server := dial(t, serveExamples(t)).Schema()
	for source, s := range map[string]*dynclient.Schema{"files": files, "reflection": server} {
		for _, tt := range []struct {
			name string
			want string // the path, or a part of the error
		}{
			{"tutorial.Greeter/SayHello", "tutorial.Greeter/SayHello"},
			{"/tutorial.Greeter/SayHello", "tutorial.Greeter/SayHello"},
			{"tutorial.Greeter.SayHello", "tutorial.Greeter/SayHello"},
			{"Greeter/SayHello", "Greeter/SayHello"}, // an exact name
			{"RecordRoute", "RouteGuide/RecordRoute"},
			{"Compute/SayHello", "compute.Compute/SayHello"},
			{"SayHello", "method \"SayHello\" is ambiguous: Greeter/SayHello, compute.Compute/SayHello, tutorial.Greeter/SayHello"},
			{"RecordRout", `unknown method "RecordRout" (did you mean "RouteGuide/RecordRoute"?)`},
			{"Greeter/SayGoodbye", "Greeter/SayHello"},
			{"tutorial.Greter/SayHello", "tutorial.Greeter/SayHello"},
			{"no.such.Thing/At", `unknown service "no.such.Thing"; known names are Cal, `},
			{"xqzzw", "RouteGuide/ListFeature and 6 more"},
			{"", "unknown method"},
			{"/", "unknown method"},
			{"\xff", "unknown method"},
		} {
			m, err := s.MatchMethod(t.Context(), tt.name)
			switch {
			case err == nil && m.Path() != tt.want:
				t.Errorf("%s: %q is %s, want %s", source, tt.name, m.Path(), tt.want)
			case err != nil && !strings.Contains(err.Error(), tt.want):
				t.Errorf("%s: %q: error %v, want %s", source, tt.name, err, tt.want)
			}
			var lookup *dynclient.LookupError
			if err != nil && (!errors.As(err, &lookup) || status.Code(err) != codes.Unimplemented) {
				t.Errorf("%s: %q: %#v", source, tt.name, err)
			}
		}
		for name, want := range map[string]string{
			"SayHello":          "is ambiguous",
			"RouteSummary":      "RouteSummary",
			"Data":              "example.Data",
			"tutorial.Greeter":  "tutorial.Greeter",
			"Compute":           "compute.Compute",
			"RecordRoute":       "RouteGuide.RecordRoute",
			"Compute/SayHello":  "compute.Compute.SayHello",
			"Compute.SayHello":  "compute.Compute.SayHello",
			"RouteNote.message": "RouteNote.message",
			"RouteSumary":       "RouteSummary",
		} {
			sym, err := s.Match(t.Context(), name)
			if got := text(sym, err); !strings.Contains(got, want) {
				t.Errorf("%s: %q is %s, want %s", source, name, got, want)
			}
		}
		for name, want := range map[string]string{"Compute": "compute.Compute", "Greeter": "Greeter", "Greter": "unknown service", "": "unknown service"} {
			sym, err := s.MatchService(t.Context(), name)
			if got := text(sym, err); !strings.Contains(got, want) {
				t.Errorf("%s: %q is %s, want %s", source, name, got, want)
			}
		}
	}
}

func text(sym *dynclient.Symbol, err error) string {
	if err != nil {
		return err.Error()
	}
	return string(sym.FullName())
}

var oneService = fstest.MapFS{"s.proto": {Data: []byte(`syntax = "proto3"; service S { rpc Do(M) returns (M); } message M {}`)}}

func TestInfrastructureIsMeantOnlyWhenNamed(t *testing.T) {
	mine := fstest.MapFS{"mine.proto": {Data: []byte(`syntax = "proto3"; service Mine { rpc Check(M) returns (M); } message M {}`)}}
	addr := serve(t, dynserver.Config{Sources: []dynserver.Source{dynserver.FS("mine", mine)}})
	for name, want := range map[string]string{"Check": "Mine/Check", "Health/Check": "grpc.health.v1.Health/Check", "Watch": "grpc.health.v1.Health/Watch"} {
		m, err := dial(t, addr).Schema().MatchMethod(t.Context(), name)
		if err != nil || m.Path() != want {
			t.Errorf("%s is %v, %v", name, m, err)
		}
	}
}

func TestCommentsAreThere(t *testing.T) {
	for source, s := range map[string]*dynclient.Schema{
		"files":            dynclient.NewSchema(dynclient.FS("protos", protos.FS)),
		"reflection":       dial(t, serveExamples(t)).Schema(),
		"a client's files": dial(t, "127.0.0.1:1", dynclient.WithSources(dynclient.FS("protos", protos.FS))).Schema(),
	} {
		sym, err := s.Find(t.Context(), "tutorial.Greeter.SayHello")
		if err != nil {
			t.Fatal(err)
		}
		comment := sym.File().SourceLocations().ByDescriptor(sym.Descriptor).LeadingComments
		if !strings.Contains(comment, "greets whoever is named") {
			t.Errorf("%s: the comment is %q", source, comment)
		}
	}
}

func TestSourcesInOrder(t *testing.T) {
	addr := serveExamples(t)
	mine := fstest.MapFS{"mine.proto": {Data: []byte(`syntax = "proto3"; service Greeter { rpc SayHowdy(M) returns (M); } message M {}`)}}
	first := dial(t, addr, dynclient.WithSources(dynclient.FS("mine", mine), dynclient.Reflection())).Schema()
	last := dial(t, addr, dynclient.WithSources(dynclient.Reflection(), dynclient.FS("mine", mine))).Schema()
	if m, err := first.Method(t.Context(), "Greeter/SayHowdy"); err != nil || m.Origin != "mine/mine.proto" {
		t.Errorf("got %v, %v", m, err)
	}
	if m, err := last.Method(t.Context(), "Greeter/SayHowdy"); err == nil {
		t.Errorf("the later source won: %v", m)
	}
	for _, s := range []*dynclient.Schema{first, last} {
		if _, err := s.Method(t.Context(), "RouteGuide/GetFeature"); err != nil {
			t.Error(err)
		}
		names, err := s.Services(t.Context())
		if err != nil || !slices.IsSorted(names) || !slices.Contains(names, protoreflect.FullName("RouteGuide")) {
			t.Errorf("services %v, %v", names, err)
		}
	}
}

func TestFilesWithErrors(t *testing.T) {
	s := dynclient.NewSchema(dynclient.FS("x", fstest.MapFS{
		"good.proto":   {Data: []byte(`syntax = "proto3"; service Good { rpc Do(M) returns (M); } message M {}`)},
		"broken.proto": {Data: []byte(`syntax = "proto3"; package p; service Broken { rpc Do(N) returns (N); }`)},
	}))
	if _, err := s.Method(t.Context(), "Good/Do"); err != nil {
		t.Error(err)
	}
	_, err := s.Method(t.Context(), "p.Broken/Do")
	var broken *dynclient.BrokenError
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "x/broken.proto:1:") {
		t.Errorf("got %v", err)
	}
	for name, match := range map[string]func(string) error{
		"method":  func(name string) error { _, err := s.MatchMethod(t.Context(), name+"/Do"); return err },
		"service": func(name string) error { _, err := s.MatchService(t.Context(), name); return err },
		"any":     func(name string) error { _, err := s.Match(t.Context(), name); return err },
		"any's":   func(name string) error { _, err := s.Match(t.Context(), name+"/Do"); return err },
	} {
		for _, service := range []string{"Broken", "p.Broken"} {
			if err := match(service); !errors.As(err, &broken) || broken.Name != "p.Broken" {
				t.Errorf("%s %s: got %v", name, service, err)
			}
		}
	}
	if all := s.Broken(t.Context()); len(all) != 1 || all[0].Name != "p.Broken" {
		t.Errorf("broken are %v", all)
	}
	if _, err := dynclient.Dial(t.Context(), "x:1", dynclient.WithSources(dynclient.Path(filepath.Join(t.TempDir(), "gone")))); err == nil {
		t.Error("no error for a missing folder")
	}
}

func TestUnimplementedRefreshes(t *testing.T) {
	f := &fakeReflection{files: []*descriptorpb.FileDescriptorProto{serviceFile(t, "google.protobuf.Timestamp", "google/protobuf/timestamp.proto")}}
	c := dial(t, f.serve(t))
	do, err := dynclient.Unary[time.Time, time.Time](c, "p.S/M")
	if err != nil {
		t.Fatal(err)
	}
	asked := f.asked.Load()
	for range 3 { // a stub for a missing method looks it up each time
		if _, err := do(t.Context(), new(time.Time)); status.Code(err) != codes.Unimplemented {
			t.Errorf("got %v", err)
		}
	}
	now := f.asked.Load()
	if now == asked {
		t.Error("reflection was not asked again")
	}
	if _, err := do(t.Context(), new(time.Time)); status.Code(err) != codes.Unimplemented || f.asked.Load() != now {
		t.Errorf("got %v, and it was asked again at once", err)
	}
}

func TestStubFollowsASchemaThatChanges(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "a.proto"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`syntax = "proto3"; service S { rpc Do(M) returns (M); } message M { string name = 1; }`)
	c := dial(t, serveExamples(t), dynclient.WithSources(dynclient.Path(dir)))
	do, err := dynclient.Unary[helloRequest, helloRequest](c, "S/Do")
	if err != nil {
		t.Fatal(err)
	}
	write(`syntax = "proto3"; service S { rpc Do(M) returns (M); } message M { int64 name = 1; }  // changed`)
	c.Schema().Refresh()
	if _, err := do(t.Context(), &helloRequest{}); err == nil || !strings.Contains(err.Error(), "the schema has changed") {
		t.Errorf("got %v", err)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	c := dial(t, serveExamples(t))
	say, err := dynclient.Unary[helloRequest, helloReply](c, "Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for range 5 {
				if _, err := say(t.Context(), &helloRequest{Name: "Ada"}); err != nil {
					return err
				}
				if _, err := c.Schema().MatchMethod(t.Context(), "RecordRoute"); err != nil {
					return err
				}
				c.Schema().Refresh()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
