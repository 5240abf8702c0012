package reload

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestSources serves and watches a file, a descriptor set, and two folders.
func TestSources(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")})
		p := rig.Serve(t, filepath.Join(dir, "a.proto"))
		rig.WantText(t, p.Stdout.String(), "Serving 1 service:", "p.A")
		rig.Replace(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("C"))
		p.AwaitStderr("added: p.C; no longer declared, removed unless they come back soon: p.A\n", ": removed: p.A\n")
	})
	t.Run("a descriptor set", func(t *testing.T) {
		t.Parallel()
		python := rig.Python(t)
		dir := t.TempDir()
		set := filepath.Join(dir, "set.binpb")
		protoc := func(to string, files ...string) {
			args := []string{"-m", "grpc_tools.protoc", "-I" + filepath.Join(rig.Root(t), "protos"), "--include_imports", "--include_source_info", "--descriptor_set_out=" + to}
			out, err := exec.CommandContext(rig.Context(t), python, append(args, files...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("protoc: %v\n%s", err, out)
			}
		}
		protoc(set, "cal/SimpleCal.proto")
		p := rig.Serve(t, "--examples", set)
		conn := rig.Dial(t, p.Addr())
		_, err := rig.Invoke(rig.Context(t), conn, "/Cal/Add", nil)
		rig.Must(t, err)
		rig.WantText(t, rig.Comment(t, conn, "Cal"), "Cal calculates")
		protoc(filepath.Join(dir, "next"), "cal/SimpleCal.proto", "compute/compute.proto")
		rig.Must(t, os.Rename(filepath.Join(dir, "next"), set))
		awaitCompute(t, conn, codes.OK)
		rig.Write(t, set, "\xff not a descriptor set")
		p.AwaitStderr("error: ", set, "stale, served from their last good version: Cal, compute.Compute")
		_, err = rig.Invoke(rig.Context(t), conn, "/Cal/Add", nil)
		rig.Must(t, err)
	})
	t.Run("two folders", func(t *testing.T) {
		t.Parallel()
		first := rig.Folder(t, map[string]string{"same.proto": rig.ServiceProto("First")})
		second := rig.Folder(t, map[string]string{"same.proto": rig.ServiceProto("Second"), "other.proto": rig.ServiceProto("Other")})
		p := rig.Serve(t, first, second)
		rig.WantText(t, p.Stdout.String(), "Serving 2 services:", "p.First", "p.Other")
		rig.Must(t, os.Remove(filepath.Join(first, "same.proto")))
		p.AwaitStderr("added: p.Second; removed: p.First")
	})
}

// TestRootGone removes the served folder: the services stay until the folder is back
// with other files.
func TestRootGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "protos")
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A"))
	p := rig.Serve(t, dir)
	conn := rig.Dial(t, p.Addr())
	rig.Must(t, os.Rename(dir, dir+"-gone"))
	p.AwaitStderr("reload failed", dir)
	_, err := rig.Invoke(rig.Context(t), conn, "/p.A/Do", nil)
	rig.WantText(t, fmt.Sprint(err), "no handler answers it")
	rig.Write(t, filepath.Join(dir, "b.proto"), rig.ServiceProto("B"))
	p.AwaitStderr("added: p.B; removed: p.A")
}

// TestOddFiles serves files as some editors and systems write them, next to files
// that must be ignored.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{
		"bom.proto":         "\ufeff" + rig.ServiceProto("Bom"),
		"crlf.proto":        strings.ReplaceAll(rig.ServiceProto("Crlf"), "\n", "\r\n"),
		"no newline.proto":  strings.TrimSpace(rig.ServiceProto("Spaces")),
		"ünïcode.proto":     rig.ServiceProto("Unicode"),
		".hidden.proto":     "broken",
		".git/x.proto":      "broken",
		"backup.proto~":     "broken",
		"notes.txt":         "broken",
		"a.proto.swp":       "broken",
		"folder.proto/a.md": "a folder that looks like a file",
	})
	rig.Must(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	rig.Must(t, os.Symlink("no-such.proto", filepath.Join(dir, "dangling.txt")))
	p := rig.Serve(t, dir)
	rig.WantText(t, p.Stdout.String(), "Serving 4 services:", "p.Bom", "p.Crlf", "p.Spaces", "p.Unicode")
}
