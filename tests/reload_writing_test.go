package tests

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
)

// startSettling is startWatched with a time for RemoveAfter.
func startSettling(t *testing.T, dir string, removeAfter time.Duration) watched {
	t.Helper()
	return startWatchedWith(t, dir, func(c *dynserver.Config) { c.RemoveAfter = removeAfter })
}

// twoServices is a file with services A and B whose first half is valid by itself.
func twoServices() (half, whole string) {
	half = serviceProto("A")
	return half, half + strings.SplitAfter(serviceProto("B"), "package p;\n")[1]
}

// TestReloadPausingWriter writes a file in halves: what the first does not
// declare stays until the second comes.
func TestReloadPausingWriter(t *testing.T) {
	t.Parallel()
	half, whole := twoServices()
	w := startSettling(t, folder(t, map[string]string{"ab.proto": whole, "c.proto": serviceProto("C")}), time.Hour)
	w.want("A B C")
	calls := startLoad(t, w.conn, "/p.B/Do", text(1, "x"), func(out []byte) bool { return textOf(out, 1) == "x" })
	stream := openReflection(t, w.local)
	for range 3 {
		write(t, w.path("ab.proto"), half)
		w.want("A B* C")
		contains(t, w.stale("B"), "p.B is no longer declared", w.path("ab.proto"))
		if got := stream.symbol("p.B")["ab.proto"]; !strings.Contains(got, "BMessage") {
			t.Errorf("reflection describes what is left as %q", got)
		}
		write(t, w.path("d.proto"), serviceProto("D")) // others do not wait
		w.want("A B* C D")
		must(t, os.Remove(w.path("d.proto"))) // and a file that goes is not half written
		w.want("A B* C")
		write(t, w.path("ab.proto"), whole)
		w.want("A B C")
	}
	calls.end(t)
	write(t, w.path("ab.proto"), half)
	w.want("A B* C")
	report, err := w.Reload(t.Context()) // who asks for a reload has finished writing
	must(t, err)
	if !slices.Equal(report.Removed, []string{"p.B"}) {
		t.Errorf("report: %+v", report)
	}
	w.want("A C")
}

// TestReloadRemoves takes a service out of a file for good.
func TestReloadRemoves(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		half, whole := twoServices()
		w := start(t, folder(t, map[string]string{"ab.proto": whole}))
		w.want("A B")
		write(t, w.path("ab.proto"), half)
		w.want("A B*")
		w.want("A")
	})
}

// TestReloadRenamedWhileBroken renames a file whose import is broken, and writes
// it anew in pieces.
func TestReloadRenamedWhileBroken(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		const common = `syntax = "proto3"; package p; message Common { string text = 1; }`
		whole := "syntax = \"proto3\";\npackage p;\nimport \"common.proto\";\nmessage Own {}\nservice A { rpc Do(Common) returns (Common); }\n"
		w := start(t, folder(t, map[string]string{"common.proto": common, "a.proto": whole, "b.proto": serviceProto("B")}))
		w.want("A B")
		write(t, w.path("common.proto"), common+"}")
		w.want("A* B")
		name := "a.proto"
		for i, end := range []string{"import", "message Own {}\n", "message Own", "service A", "rpc"} {
			renamed := fmt.Sprintf("renamed%d.proto", i)
			must(t, os.Rename(w.path(name), w.path(renamed)))
			name = renamed
			write(t, w.path(name), whole[:strings.Index(whole, end)+len(end)])
			mark := fmt.Sprintf("M%d", i)
			write(t, w.path("mark.proto"), serviceProto(mark)) // when it is served the rest was read
			w.want("A* B " + mark)
			write(t, w.path(name), whole)
			must(t, os.Remove(w.path("mark.proto")))
			w.want("A* B")
		}
		write(t, w.path("common.proto"), common)
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
		must(t, err)
		out, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{fd}})
		must(t, err)
		return out
	}
	first, second := string(file("A")), string(file("B"))
	write(t, w.path("set.binpb"), first+second)
	s := startSettling(t, w.path("set.binpb"), 500*time.Millisecond)
	s.want("A B")
	write(t, w.path("set.binpb"), first)
	s.want("A B*")
	write(t, w.path("set.binpb"), first+second)
	s.want("A B")
	write(t, w.path("set.binpb"), first)
	s.want("A B*")
	s.want("A")
}
