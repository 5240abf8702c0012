package client

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// rude controls a terminal: it clears the screen, sets the title, and changes the
// direction of text. The controls have one byte or two.
const rude = "\x1b[2J\x1b]0;rude\x07\u009b2J\u202e\r\x7f"

// rudeFile declares rude.Rude/Do, whose answer has text in every kind of field. It
// has control characters wherever a valid file may have them.
var rudeFile = strings.ReplaceAll(`name: "RUDE.proto" package: "rude" dependency: "google/protobuf/any.proto" dependency: "google/protobuf/struct.proto"
	message_type {
		name: "Msg"
		field { name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "text" default_value: "RUDE" }
		field { name: "data" number: 2 type: TYPE_BYTES label: LABEL_OPTIONAL json_name: "data" }
		field { name: "labels" number: 3 type: TYPE_MESSAGE label: LABEL_REPEATED type_name: ".rude.Msg.LabelsEntry" json_name: "labels" }
		field { name: "any" number: 4 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".google.protobuf.Any" json_name: "any" }
		field { name: "struct" number: 5 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".google.protobuf.Struct" json_name: "struct" }
		field { name: "child" number: 6 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".rude.Msg" json_name: "childRUDE" }
		nested_type {
			name: "LabelsEntry" options { map_entry: true }
			field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "key" }
			field { name: "value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "value" }
		}
	}
	service { name: "Rude" method { name: "Do" input_type: ".rude.Msg" output_type: ".rude.Msg" } }
	options { java_package: "RUDE" }
	source_code_info {
		location { path: [6, 0] span: [1, 1, 2] leading_comments: "RUDE" trailing_comments: "RUDE" leading_detached_comments: "RUDE" }
		location { path: [4, 0, 2, 0] span: [1, 1, 2] leading_comments: "RUDE" }
	}`, "RUDE", `\x1b[2J\x07\xc2\x9b2J`)

// startRude serves rudeFile. The control characters are in metadata, too.
func startRude(t testing.TB) string {
	t.Helper()
	answer := new(emptypb.Empty)
	answer.ProtoReflect().SetUnknown(slices.Concat(
		rig.Text(1, rude), rig.Text(2, rude), rig.Message(3, rig.Text(1, rude), rig.Text(2, rude)),
		rig.Message(4, rig.Text(1, "type.googleapis.com/"+rude), rig.Text(2, rude)),
		rig.Message(5, rig.Message(1, rig.Text(1, rude), rig.Message(2, rig.Text(3, rude)))),
		rig.Message(6, rig.Text(1, rude)), rig.Text(99, rude),
	))
	m := &mirror{
		services: []string{"rude.Rude", "rude." + rude, rude, "", "a..b", "x y", strings.Repeat("z", 1<<20) + "-"},
		symbols:  map[string]string{"rude.Rude": "file"},
		files:    map[string]string{"file": rudeFile},
	}
	for _, fd := range []protoreflect.FileDescriptor{anypb.File_google_protobuf_any_proto, structpb.File_google_protobuf_struct_proto} {
		content, err := proto.Marshal(protodesc.ToFileDescriptorProto(fd))
		rig.Must(t, err)
		m.files[fd.Path()] = string(content)
	}
	return rig.LocalGRPC(t, func(s *grpc.Server) { refv1.RegisterServerReflectionServer(s, m) },
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			_ = stream.SetHeader(metadata.Pairs("x-bin", rude))
			stream.SetTrailer(metadata.Pairs("y-bin", rude))
			return stream.SendMsg(answer)
		}))
}

// TestTerminal calls a server that sends control characters wherever it can.
// rig.Process.Result checks that none is printed.
func TestTerminal(t *testing.T) {
	t.Parallel()
	addr := startRude(t)
	for name, test := range map[string]struct {
		args   []string
		status int
		out    string
		errs   []string
	}{
		"list":      {[]string{"list", addr}, 0, "rude.Rude\n", nil},
		"list long": {[]string{"list", addr, "-l"}, 0, "rude.Rude/Do(rude.Msg) returns (rude.Msg)\n", nil},
		"unknown":   {[]string{"list", addr, "Ride"}, 2, "", []string{`(did you mean "rude.Rude" or "rude"?)`}},
		"complete":  {[]string{"__complete", "list", addr, ""}, 0, "rude.Rude\n:4\n", []string{"NoFileComp"}},
		"field":     {[]string{"call", addr, "Do", "-d", `{"chold": 1}`}, 2, "", []string{`"chold"`, "child"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig.Run(t, test.args...).Want(t, test.status, test.out, test.errs...)
		})
	}
	for _, symbol := range []string{"rude.Rude", "Do", "rude.Msg"} {
		t.Run("describe "+symbol, func(t *testing.T) {
			t.Parallel()
			r := rig.Run(t, "describe", addr, symbol)
			r.Want(t, 0, r.Stdout)
			rig.WantText(t, r.Stdout, "[2J") // printed without the control characters
			asJSON := rig.Run(t, "describe", addr, symbol, "-o", "json")
			asJSON.Want(t, 0, asJSON.Stdout)
			if !json.Valid([]byte(asJSON.Stdout)) {
				t.Errorf("not JSON: %q", asJSON.Stdout)
			}
		})
	}
	t.Run("example", func(t *testing.T) {
		t.Parallel()
		example := rig.Run(t, "describe", addr, "Do", "--example")
		example.Want(t, 0, example.Stdout)
		r := rig.Run(t, "call", addr, "Do", "-d", example.Stdout)
		r.Want(t, 0, r.Stdout)
	})
	for _, format := range []string{"json", "ndjson", "yaml", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			r := rig.Run(t, "call", addr, "Do", "-v", "-o", format)
			r.Want(t, 0, r.Stdout, "< x-bin: ", "< trailer y-bin: ")
			rig.WantText(t, r.Stdout, "[2J", "rude")
		})
	}
}
