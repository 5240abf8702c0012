package client

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

const foreignProtos = "testdata/protos"

// startPython starts a server of gRPC's C core with reflection in v1alpha only.
// It returns the addresses that answer compressed by gzip and by deflate.
func startPython(t testing.TB) (server *rig.Process, gzip, deflate string) {
	t.Helper()
	python, dir := rig.Python(t), t.TempDir()
	protos, err := filepath.Glob(foreignProtos + "/parcel/*.proto")
	rig.Must(t, err)
	generate := exec.CommandContext(rig.Context(t), python, append([]string{
		"-m", "grpc_tools.protoc", "-I", foreignProtos,
		"--python_out", dir, "--grpc_python_out", dir,
	}, protos...)...)
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", generate.Args, err, out)
	}
	set := new(descriptorpb.FileDescriptorSet)
	for _, fd := range []protoreflect.FileDescriptor{refv1alpha.File_grpc_reflection_v1alpha_reflection_proto, statuspb.File_google_rpc_status_proto} {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(fd))
	}
	content, err := proto.Marshal(set)
	rig.Must(t, err)
	descriptors := filepath.Join(dir, "descriptors.binpb")
	rig.Write(t, descriptors, string(content))

	cmd := exec.Command(python, "testdata/server.py", dir, descriptors)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	server, gzip = startServer(t, cmd, `Gzip on port (\d+)\n`)
	return server, gzip, "127.0.0.1:" + regexp.MustCompile(`Deflate on port (\d+)\n`).FindStringSubmatch(server.Stdout.String())[1]
}

// TestPython calls a server of gRPC's C core.
func TestPython(t *testing.T) {
	t.Parallel()
	server, gzip, deflate := startPython(t)
	tooLarge := filepath.Join(t.TempDir(), "large.json")
	rig.Write(t, tooLarge, `{"content": "`+base64Of(strings.Repeat("x", 5<<20))+`"}`)
	for name, test := range map[string]struct {
		args   []string
		status int
		out    string
		errs   []string
	}{
		"list": {[]string{"list"}, 0, "grpc.reflection.v1alpha.ServerReflection\nparcel.Post\n", nil},
		"list long": {
			[]string{"list", "Post", "-l"},
			0,
			"parcel.Post/Send(parcel.Parcel) returns (parcel.Receipt)\n" +
				"parcel.Post/Track(parcel.Receipt) returns (stream parcel.Place)\n" +
				"parcel.Post/Load(stream parcel.Parcel) returns (parcel.Receipt)\n" +
				"parcel.Post/Talk(stream parcel.Parcel) returns (stream parcel.Receipt)\n", nil,
		},
		"complete":    {[]string{"__complete", "call", "Tr"}, 0, "Track\n:4\n", []string{"NoFileComp"}},
		"unknown":     {[]string{"call", "Sent"}, 2, "", []string{`"Sent"`, `(did you mean "parcel.Post/Send"?)`}},
		"stream":      {[]string{"call", "Track"}, 0, `{"town":"Bonn"}` + "\n" + `{"town":"Köln"}` + "\n", nil},
		"upload":      {[]string{"call", "Load", "-d", `{"content": "AAAA"} {"to": {"town": "Rom"}} {"content": "AA=="}`}, 0, `{"weight":"4"}` + "\n", nil},
		"talk":        {[]string{"call", "Talk", "-d", `{"label": "a"} {"label": "b"}`}, 0, `{"label":"a"}` + "\n" + `{"label":"b"}` + "\n", nil},
		"gzip upload": {[]string{"call", "Load", "--gzip", "-d", `{"content": "` + base64Of(strings.Repeat("x", 9999)) + `"}`}, 0, `{"weight":"9999"}` + "\n", nil},
		"refused": {
			[]string{"call", "Send", "-d", `{"label": "refuse"}`},
			73, "",
			[]string{"FAILED_PRECONDITION (9): not this one: 100% ☺", "parcel.Post/Send at ", "  parcel.Refusal\n", `"why": "zu groß`, `"town": "Åbo"`},
		},
		"crash": {[]string{"call", "Send", "-d", `{"label": "crash"}`}, 66, "", []string{"UNKNOWN (2): ", "unforeseen"}},
		"large": {[]string{"call", "Load", "-d", "@" + tooLarge}, 72, "", []string{"RESOURCE_EXHAUSTED (8): ", "larger than max"}},
		"slow":  {[]string{"call", "Talk", "-d", "-", "--deadline", "1s"}, 68, "", []string{"DEADLINE_EXCEEDED"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{test.args[0], gzip}, test.args[1:]...)
			switch test.args[0] {
			case "__complete":
				args = append([]string{test.args[0], test.args[1], gzip}, test.args[2:]...)
			case "call":
				args = append(args, "-o", "ndjson")
			}
			c := rig.Start(t, args...)
			if name != "slow" {
				rig.Must(t, c.Stdin.Close())
			}
			c.Result().Want(t, test.status, test.out, test.errs...)
		})
	}
	t.Run("verbose", func(t *testing.T) {
		t.Parallel()
		r := rig.Run(t, "call", gzip, "parcel.Post/Send", "-v", "-o", "ndjson", "-H", "x-echo: there", "-H", "x-echo-bin: /wA=")
		r.Want(t, 0, `{"sent":"1970-01-01T00:00:01Z","note":"`+strings.Repeat(".", 10000)+`"}`+"\n",
			"schema from reflection (v1alpha) of "+gzip, "< x-echo: there\n", "< trailer x-echo-bin: /wA=\n")
		if size := `< message of 100\d\d bytes \(\d+ compressed\)`; !regexp.MustCompile(size).MatchString(r.Stderr) {
			t.Errorf("want %s in:\n%s", size, r.Stderr)
		}
	})
	t.Run("deflate", func(t *testing.T) { // the server uses it although the client does not accept it
		t.Parallel()
		rig.Run(t, "call", deflate, "Send").Want(t, 77, "", "INTERNAL: ", `"deflate"`)
		rig.Run(t, "call", deflate, "Send", "--proto", foreignProtos).Want(t, 77, "", "INTERNAL (13): ", `"deflate"`)
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		const ended = "Track has ended\n"
		before := strings.Count(server.Stdout.String(), ended)
		c := rig.Start(t, "call", gzip, "Track", "-d", `{"label": "lost"}`)
		c.AwaitStdout("....")
		c.Signal(os.Interrupt)
		r := c.Result()
		r.Want(t, 130, r.Stdout, "stopped by signal: interrupt")
		rig.Eventually(t, "the server to see the end", func() bool { return strings.Count(server.Stdout.String(), ended) > before })
	})
	t.Run("library", func(t *testing.T) {
		t.Parallel()
		c, err := dynclient.Dial(rig.Context(t), gzip)
		rig.Must(t, err)
		defer c.Close()
		var out json.RawMessage
		err = c.Invoke(rig.Context(t), "parcel.Post/Send", map[string]any{"label": "refuse"}, &out)
		var failure *dynclient.Error
		if !errors.As(err, &failure) || failure.Code() != codes.FailedPrecondition {
			t.Fatalf("got %v", err)
		}
		if details := failure.Details(rig.Context(t)); len(details) != 2 || details[0].ProtoReflect().Descriptor().FullName() != "parcel.Refusal" {
			t.Errorf("got %v", details)
		}
	})
}
