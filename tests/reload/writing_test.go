package reload

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// startSettling is startWatched with a time for RemoveAfter.
func startSettling(t *testing.T, dir string, removeAfter time.Duration) watched {
	t.Helper()
	return startWatchedWith(t, dir, func(c *dynserver.Config) { c.RemoveAfter = removeAfter })
}

// twoServices is a file with services A and B whose first half is valid by itself.
func twoServices() (half, whole string) {
	half = rig.ServiceProto("A")
	return half, half + strings.SplitAfter(rig.ServiceProto("B"), "package p;\n")[1]
}

// TestReloadPausingWriter writes a file in halves: what only the second half declares
// stays until it comes.
func TestReloadPausingWriter(t *testing.T) {
	t.Parallel()
	half, whole := twoServices()
	w := startSettling(t, rig.Folder(t, map[string]string{"ab.proto": whole, "c.proto": rig.ServiceProto("C")}), time.Hour)
	w.want("A B C")
	calls := rig.StartLoad(t, w.Conn, "/p.B/Do", rig.Text(1, "x"), func(out []byte) bool { return rig.TextOf(out, 1) == "x" })
	stream := openReflection(t, w.Server)
	for range 3 {
		rig.Write(t, w.path("ab.proto"), half)
		w.want("A B* C")
		rig.WantText(t, w.stale("B"), "p.B is no longer declared", w.path("ab.proto"))
		if got := stream.symbol("p.B")["ab.proto"]; !strings.Contains(got, "BMessage") {
			t.Errorf("reflection describes what is left as %q", got)
		}
		rig.Write(t, w.path("d.proto"), rig.ServiceProto("D")) // others do not wait
		w.want("A B* C D")
		rig.Must(t, os.Remove(w.path("d.proto"))) // and a file that goes is not half written
		w.want("A B* C")
		rig.Write(t, w.path("ab.proto"), whole)
		w.want("A B C")
	}
	calls.End(t)
	rig.Write(t, w.path("ab.proto"), half)
	w.want("A B* C")
	report, err := w.Reload(t.Context()) // who asks for a reload has finished writing
	rig.Must(t, err)
	if !slices.Equal(report.Removed, []string{"p.B"}) {
		t.Errorf("report: %+v", report)
	}
	w.want("A C")
}

// TestReloadRemoves removes a service from a file.
func TestReloadRemoves(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		half, whole := twoServices()
		w := start(t, rig.Folder(t, map[string]string{"ab.proto": whole}))
		w.want("A B")
		rig.Write(t, w.path("ab.proto"), half)
		w.want("A B*")
		w.want("A")
	})
}

// TestReloadRenamedWhileBroken renames a file whose import is broken, and writes it
// again in pieces.
func TestReloadRenamedWhileBroken(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		const common = `syntax = "proto3"; package p; message Common { string text = 1; }`
		whole := "syntax = \"proto3\";\npackage p;\nimport \"common.proto\";\nmessage Own {}\nservice A { rpc Do(Common) returns (Common); }\n"
		w := start(t, rig.Folder(t, map[string]string{"common.proto": common, "a.proto": whole, "b.proto": rig.ServiceProto("B")}))
		w.want("A B")
		rig.Write(t, w.path("common.proto"), common+"}")
		w.want("A* B")
		name := "a.proto"
		for i, end := range []string{"import", "message Own {}\n", "message Own", "service A", "rpc"} {
			renamed := fmt.Sprintf("renamed%d.proto", i)
			rig.Must(t, os.Rename(w.path(name), w.path(renamed)))
			name = renamed
			rig.Write(t, w.path(name), whole[:strings.Index(whole, end)+len(end)])
			mark := fmt.Sprintf("M%d", i)
			rig.Write(t, w.path("mark.proto"), rig.ServiceProto(mark)) // when it is served the rest was read
			w.want("A* B " + mark)
			rig.Write(t, w.path(name), whole)
			rig.Must(t, os.Remove(w.path("mark.proto")))
			w.want("A* B")
		}
		rig.Write(t, w.path("common.proto"), common)
		w.want("A B")
	})
}

// TestReloadSetInPieces writes a descriptor set up to the end of one of its files.
func TestReloadSetInPieces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := watched{t: t, dir: dir}
	file := func(name string) []byte {
		message := &descriptorpb.DescriptorProto{Name: proto.String(name + "Message"), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("text"), Number: proto.Int32(1),
			Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}}}
		method := &descriptorpb.MethodDescriptorProto{Name: proto.String("Do"), InputType: proto.String(".p." + name + "Message"), OutputType: proto.String(".p." + name + "Message")}
		fd := &descriptorpb.FileDescriptorProto{
			Name: proto.String(name + ".proto"), Package: proto.String("p"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{message},
			Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String(name), Method: []*descriptorpb.MethodDescriptorProto{method}}},
		}
		_, err := protodesc.NewFile(fd, nil)
		rig.Must(t, err)
		out, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{fd}})
		rig.Must(t, err)
		return out
	}
	first, second := string(file("A")), string(file("B"))
	rig.Write(t, w.path("set.binpb"), first+second)
	s := startSettling(t, w.path("set.binpb"), 500*time.Millisecond)
	s.want("A B")
	rig.Write(t, w.path("set.binpb"), first)
	s.want("A B*")
	rig.Write(t, w.path("set.binpb"), first+second)
	s.want("A B")
	rig.Write(t, w.path("set.binpb"), first)
	s.want("A B*")
	s.want("A")
}
