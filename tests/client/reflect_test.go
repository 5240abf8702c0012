package client

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// badFile declares bad.Bad/Do, and more.
func badFile(more string) string {
	return `name: "bad.proto" package: "bad" syntax: "proto3"
	message_type { name: "Msg" }
	service { name: "Bad" method { name: "Do" input_type: ".bad.Msg" output_type: ".bad.Msg" } } ` + more
}

// TestFiles calls a method whose file is invalid. The other services still
// work.
func TestFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files  map[string]string // the first that is asked for is bad.proto
		status int
		errs   []string
	}{
		"none":             {nil, 1, []string{"bad.Bad is listed, but its descriptor is missing"}},
		"no descriptor":    {map[string]string{"bad.proto": "\xff\xff\xff\xff"}, 77, []string{"INTERNAL", "malformed"}},
		"empty descriptor": {map[string]string{"bad.proto": ""}, 1, nil},
		"another file":     {map[string]string{"bad.proto": goodFile}, 1, []string{"bad.Bad is listed, but its descriptor is missing"}},
		"missing import":   {map[string]string{"bad.proto": badFile(`dependency: "lost/and\x1b[31m.proto" message_type { name: "M" field { name: "f" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".lost.Found" } }`)}, 1, []string{"the server does not have lost/and", "which bad.proto imports"}},
		"imports itself":   {map[string]string{"bad.proto": badFile(`dependency: "bad.proto"`)}, 1, []string{"bad.proto"}},
		"imports in a cycle": {map[string]string{
			"bad.proto": badFile(`dependency: "two.proto"`), "two.proto": `name: "two.proto" dependency: "three.proto"`, "three.proto": `name: "three.proto" dependency: "bad.proto"`,
		}, 1, []string{"bad.proto"}},
		"unknown type":             {map[string]string{"bad.proto": badFile(`message_type { name: "M" field { name: "f" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".no\x1b[31m.Where" } }`)}, 1, []string{"Where"}},
		"method without types":     {map[string]string{"bad.proto": badFile(`service { name: "Worse" method { name: "Do" } }`)}, 1, nil},
		"name twice":               {map[string]string{"bad.proto": badFile(`message_type { name: "Msg" }`)}, 1, []string{"bad.Msg"}},
		"name that is none":        {map[string]string{"bad.proto": badFile(`message_type { name: "M\x1b[31m" }`)}, 1, nil},
		"method name that is none": {map[string]string{"bad.proto": badFile(`service { name: "Worse" method { name: "\xc2\x9b31m" input_type: ".bad.Msg" output_type: ".bad.Msg" } }`)}, 1, nil},
		"no path":                  {map[string]string{"bad.proto": strings.Replace(badFile(""), `"bad.proto"`, `""`, 1)}, 1, nil},
		"unknown syntax":           {map[string]string{"bad.proto": strings.Replace(badFile(""), "proto3", `proto4\x1b[31m`, 1)}, 1, []string{"proto4"}},
		"field number":             {map[string]string{"bad.proto": badFile(`message_type { name: "M" field { name: "f" number: -1 type: TYPE_INT32 label: LABEL_OPTIONAL } }`)}, 1, nil},
		"field type":               {map[string]string{"bad.proto": badFile(`message_type { name: "M" field { name: "f" number: 1 label: LABEL_OPTIONAL } }`)}, 1, nil},
		"oneof index":              {map[string]string{"bad.proto": badFile(`message_type { name: "M" field { name: "f" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL oneof_index: 7 } }`)}, 1, nil},
		"public index":             {map[string]string{"bad.proto": badFile(`public_dependency: 7`)}, 1, nil},
		"empty enum":               {map[string]string{"bad.proto": badFile(`enum_type { name: "E" }`)}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mirror{
				services: []string{"bad.Bad", "good.Good"}, files: map[string]string{"good.proto": goodFile},
				symbols: map[string]string{"bad.Bad": "bad.proto", "good.Good": "good.proto"},
			}
			for path, text := range test.files {
				m.files[path] = text
			}
			addr := startMirror(t, m)
			rig.Run(t, "list", addr).Want(t, 0, "bad.Bad\ngood.Good\n")
			rig.Run(t, "list", addr, "Good").Want(t, 0, "good.Good/Do\n")
			rig.Run(t, "call", addr, "bad.Bad/Do").Want(t, test.status, "", append(test.errs, "dyngate: ")...)
			rig.Run(t, "call", addr, "good.Good/Do").Want(t, 76, "", "UNIMPLEMENTED (12): ") // the call was made
			rig.Run(t, "list", addr, "-l").Want(t, test.status, "good.Good/Do(good.Msg) returns (good.Msg)\n", "dyngate: ")
			rig.Run(t, "__complete", "call", addr, "good").Want(t, 0, "good.Good/Do\n:4\n", "NoFileComp")
		})
	}
}

// TestMirror calls servers whose reflection does not work.
func TestMirror(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(ctx context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error)
		status int
		errs   []string
	}{
		"hangs": {hanging, 68, []string{"DEADLINE_EXCEEDED: "}},
		"ends": {func(context.Context, *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			return nil, status.Error(codes.PermissionDenied, "not for \x1b[31myou\u009b")
		}, 71, []string{"PERMISSION_DENIED: not for \ufffd[31myou\ufffd"}},
		"refuses": {func(context.Context, *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			return refusalOf(codes.PermissionDenied, "not for \x1b[31myou\u009b"), nil
		}, 71, []string{"not for \ufffd[31myou\ufffd"}},
		"refuses without a code": {func(context.Context, *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			return refusalOf(codes.OK, "no"), nil
		}, 1, nil},
		"says nothing": {func(context.Context, *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			return new(refv1.ServerReflectionResponse), nil
		}, 1, []string{"reflection at "}},
		"answers something else": {func(_ context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			if in.GetFileContainingSymbol() != "" {
				return listOf("good.Good"), nil
			}
			return fileOf(goodFile), nil
		}, 1, []string{"reflection at "}},
		"files without end": {func(_ context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			if in.GetListServices() != "" {
				return listOf("bad.Bad"), nil
			}
			path := cmp.Or(in.GetFileByFilename(), "x")
			return fileOf(fmt.Sprintf(`name: %q package: "bad" dependency: %q`, path, path+"x")), nil
		}, 1, []string{"import"}},
		"too much": {func(_ context.Context, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			return fileOf(strings.Repeat("\x00", 65<<20)), nil
		}, 72, []string{"RESOURCE_EXHAUSTED: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := startMirror(t, &mirror{answer: test.answer})
			limit := "0"
			if test.status == 68 {
				limit = "2s"
			}
			r := rig.Run(t, "call", addr, "bad.Bad/Do", "--deadline", limit)
			r.Want(t, test.status, "", append(test.errs, "dyngate: ")...)
			if len(r.Stderr) > 10_000 {
				t.Errorf("it says much:\n%s...", r.Stderr[:10_000])
			}
		})
	}
}

// hanging lists the services and answers nothing else.
func hanging(ctx context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
	if _, ok := in.GetMessageRequest().(*refv1.ServerReflectionRequest_ListServices); ok {
		return nil, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestDefaultLimits waits for servers that do not answer, without flags: the
// default limits end that.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	hangs := startMirror(t, &mirror{services: []string{"good.Good"}, answer: hanging})
	silent := listenRaw(t, says(""))
	var all sync.WaitGroup
	for _, args := range [][]string{{"list", hangs, "Good"}, {"list", hangs, "-l"}, {"describe", hangs}, {"call", hangs, "good.Good/Do"}, {"call", hangs, "Do"}} {
		all.Go(func() { rig.Run(t, args...).Want(t, 68, "", "reflection at "+hangs, "DEADLINE_EXCEEDED") })
	}
	for _, args := range [][]string{{"list", silent}, {"call", silent, "Do"}} { // an attempt to connect has ten seconds
		all.Go(func() { rig.Run(t, args...).Want(t, 78, "", "reflection at "+silent, "UNAVAILABLE") })
	}
	all.Go(func() { rig.Run(t, "__complete", "call", hangs, "D").Want(t, 0, ":4\n", "NoFileComp") })
	all.Wait()
}

// TestReflectionCut ends the connection instead of the second answer.
func TestReflectionCut(t *testing.T) {
	t.Parallel()
	var server *grpc.Server
	m := &mirror{services: []string{"good.Good"}}
	m.answer = func(ctx context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		if in.GetFileContainingSymbol() != "" {
			go server.Stop() // ends with this call
		}
		return hanging(ctx, in)
	}
	addr := rig.LocalGRPC(t, func(s *grpc.Server) {
		server = s
		refv1.RegisterServerReflectionServer(s, m)
	})
	rig.Run(t, "call", addr, "Do").Want(t, 78, "", "UNAVAILABLE: ", addr)
}

// TestReflectionGivesUp calls a method by the end of its name. One service
// has it, and the server ends reflection before it describes the other.
func TestReflectionGivesUp(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]int{codes.DeadlineExceeded: 68, codes.Canceled: 65, codes.Unavailable: 78} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			addr := startMirror(t, &mirror{services: []string{"good.Good", "other.Other"}, answer: func(_ context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
				switch in.GetFileContainingSymbol() {
				case "good.Good":
					return fileOf(goodFile), nil
				case "other.Other":
					return nil, status.Error(code, "it gives up")
				}
				return nil, nil
			}})
			rig.Run(t, "call", addr, "Do").Want(t, want, "", "it gives up")
			rig.Run(t, "describe", addr, "Do").Want(t, want, "", "it gives up")
		})
	}
}

// startMany starts a server of services many.S00000 and so on, each with a
// method Do, and each in a file of its own that takes some time.
func startMany(t testing.TB, n int, takes time.Duration) (addr string, services []string) {
	t.Helper()
	for i := range n {
		services = append(services, fmt.Sprintf("many.S%05d", i))
	}
	return startMirror(t, &mirror{services: services, answer: func(ctx context.Context, in *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		name, ok := strings.CutPrefix(in.GetFileContainingSymbol(), "many.")
		if !ok {
			return nil, nil
		}
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
		return fileOf(strings.NewReplacer("good.proto", name+".proto", "good", "many", "Good", name, "Msg", name+"Msg").Replace(goodFile)), nil
	}}), services
}

// TestManyServices calls a server that has thousands of services, and
// completes their names, which may take two seconds.
func TestManyServices(t *testing.T) {
	t.Parallel()
	addr, services := startMany(t, 20_000, 0)
	rig.Run(t, "list", addr).Want(t, 0, strings.Join(services, "\n")+"\n")
	rig.Run(t, "call", addr, "many.S00007/Do").Want(t, 76, "", "UNIMPLEMENTED (12): ") // the call was made
	rig.Run(t, "call", addr, "S19999/Do").Want(t, 76, "", "UNIMPLEMENTED (12): ")
	rig.Run(t, "list", addr, "S12345").Want(t, 0, "many.S12345/Do\n")
	slow, _ := startMany(t, 20_000, 100*time.Millisecond)
	for _, addr := range []string{addr, slow} {
		r := rig.Run(t, "__complete", "call", addr, "many.S0")
		r.Want(t, 0, r.Stdout, "NoFileComp")
	}
	// One match is not enough while other services are unknown.
	rig.Run(t, "call", slow, "Do", "--deadline", "2s").Want(t, 68, "", "DEADLINE_EXCEEDED")

	few, services := startMany(t, 30, 0)
	r := rig.Run(t, "call", few, "Do")
	r.Want(t, 2, "", `method "Do" is ambiguous`, services[0]+"/Do\n")
	if lines := strings.Count(r.Stderr, "\n"); lines > 12 {
		t.Errorf("%d lines:\n%s", lines, r.Stderr)
	}
}

// TestMirrorLibrary uses the library, in this process: Main finds goroutines
// that it leaves behind.
func TestMirrorLibrary(t *testing.T) {
	t.Parallel()
	hangs := startMirror(t, &mirror{services: []string{"bad.Bad"}, answer: hanging})
	c, err := dynclient.Dial(rig.Context(t), hangs, dynclient.WithSchemaTimeout(300*time.Millisecond))
	rig.Must(t, err)
	defer c.Close()
	if names, err := c.Schema().Services(rig.Context(t)); err != nil || len(names) != 1 {
		t.Errorf("got %v, %v", names, err)
	}
	_, err = dynclient.Unary[lab.Msg, lab.Msg](c, "bad.Bad/Do")
	rig.WantCode(t, err, codes.DeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = c.Schema().Find(ctx, "bad.Bad")
	rig.WantCode(t, err, codes.DeadlineExceeded)
}
