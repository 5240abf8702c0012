package tests

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
)

// rude is what a terminal would obey: it clears the screen, sets the title, and
// turns the direction of text, with controls of one byte and of two.
const rude = "\x1b[2J\x1b]0;rude\x07\u009b2J\u202e\r\x7f"

// rudeFile declares rude.Rude/Do, whose answer has a place for text of each
// kind. Names have to be names, but a JSON name need not be one.
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

// startRude serves it. Its answers are in metadata, too.
func startRude(t testing.TB) string {
	t.Helper()
	answer := new(emptypb.Empty)
	answer.ProtoReflect().SetUnknown(slices.Concat(
		text(1, rude), text(2, rude), message(3, text(1, rude), text(2, rude)),
		message(4, text(1, "type.googleapis.com/"+rude), text(2, rude)),
		message(5, message(1, text(1, rude), message(2, text(3, rude)))),
		message(6, text(1, rude)), text(99, rude),
	))
	m := &mirror{
		services: []string{"rude.Rude", "rude." + rude, rude, "", "a..b", "x y", strings.Repeat("z", 1<<20) + "-"},
		symbols:  map[string]string{"rude.Rude": "file"},
		files:    map[string]string{"file": rudeFile},
	}
	for _, fd := range []protoreflect.FileDescriptor{anypb.File_google_protobuf_any_proto, structpb.File_google_protobuf_struct_proto} {
		content, err := proto.Marshal(protodesc.ToFileDescriptorProto(fd))
		must(t, err)
		m.files[fd.Path()] = string(content)
	}
	return startGRPC(t, func(s *grpc.Server) { refv1.RegisterServerReflectionServer(s, m) },
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			_ = stream.SetHeader(metadata.Pairs("x-bin", rude))
			stream.SetTrailer(metadata.Pairs("y-bin", rude))
			return stream.SendMsg(answer)
		}))
}

// TestForeignTerminal makes a server say what a terminal would obey, wherever it
// may: result.end looks whether anything of it is printed.
func TestForeignTerminal(t *testing.T) {
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
		"unknown":   {[]string{"list", addr, "Ride"}, 2, "", []string{"rude.Rude\n"}},
		"complete":  {[]string{"__complete", "list", addr, ""}, 0, "rude.Rude\n:4\n", []string{"NoFileComp"}},
		"field":     {[]string{"call", addr, "Do", "-d", `{"chold": 1}`}, 2, "", []string{`"chold"`, "child"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runDyngate(t, test.args...).want(t, test.status, test.out, test.errs...)
		})
	}
	for _, symbol := range []string{"rude.Rude", "Do", "rude.Msg"} {
		t.Run("describe "+symbol, func(t *testing.T) {
			t.Parallel()
			r := runDyngate(t, "describe", addr, symbol)
			r.want(t, 0, r.out)
			contains(t, r.out, "[2J") // that it is printed, with the controls taken out
			asJSON := runDyngate(t, "describe", addr, symbol, "-o", "json")
			asJSON.want(t, 0, asJSON.out)
			if !json.Valid([]byte(asJSON.out)) {
				t.Errorf("not JSON: %q", asJSON.out)
			}
		})
	}
	t.Run("example", func(t *testing.T) {
		t.Parallel()
		example := runDyngate(t, "describe", addr, "Do", "--example")
		example.want(t, 0, example.out)
		r := runDyngate(t, "call", addr, "Do", "-d", example.out)
		r.want(t, 0, r.out)
	})
	for _, format := range []string{"json", "ndjson", "yaml", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			r := runDyngate(t, "call", addr, "Do", "-v", "-o", format)
			r.want(t, 0, r.out, "< x-bin: ", "< trailer y-bin: ")
			contains(t, r.out, "[2J", "rude")
		})
	}
}
