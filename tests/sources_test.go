package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// TestSources serves what is given in other forms than one folder, and follows
// it.
func TestSources(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		dir := folder(t, map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")})
		p := serve(t, filepath.Join(dir, "a.proto"))
		contains(t, p.out.String(), "Serving 1 service:", "p.A")
		replace(t, filepath.Join(dir, "a.proto"), serviceProto("C"))
		p.awaitLog("added: p.C; no longer declared, removed unless they come back soon: p.A\n", ": removed: p.A\n")
	})
	t.Run("a descriptor set", func(t *testing.T) {
		t.Parallel()
		python := findPython(t)
		dir := t.TempDir()
		set := filepath.Join(dir, "set.binpb")
		protoc := func(to string, files ...string) {
			args := []string{"-m", "grpc_tools.protoc", "-I../protos", "--include_imports", "--include_source_info", "--descriptor_set_out=" + to}
			out, err := exec.CommandContext(timeout(t), python, append(args, files...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("protoc: %v\n%s", err, out)
			}
		}
		protoc(set, "cal/SimpleCal.proto")
		p := serve(t, "--examples", set)
		conn := dial(t, p.addr())
		_, err := invoke(timeout(t), conn, "/Cal/Add", nil)
		must(t, err)
		contains(t, comment(t, conn, "Cal"), "Cal calculates")
		protoc(filepath.Join(dir, "next"), "cal/SimpleCal.proto", "compute/compute.proto")
		must(t, os.Rename(filepath.Join(dir, "next"), set))
		awaitCompute(t, conn, codes.OK)
		write(t, set, "\xff not a descriptor set")
		p.awaitLog("error: ", set, "stale, served from their last good version: Cal, compute.Compute")
		_, err = invoke(timeout(t), conn, "/Cal/Add", nil)
		must(t, err)
	})
	t.Run("two folders", func(t *testing.T) {
		t.Parallel()
		first := folder(t, map[string]string{"same.proto": serviceProto("First")})
		second := folder(t, map[string]string{"same.proto": serviceProto("Second"), "other.proto": serviceProto("Other")})
		p := serve(t, first, second)
		contains(t, p.out.String(), "Serving 2 services:", "p.First", "p.Other")
		must(t, os.Remove(filepath.Join(first, "same.proto")))
		p.awaitLog("added: p.Second; removed: p.First")
	})
}

// TestRootGone takes the folder itself away: what is served stays, until the
// folder is back and says otherwise.
func TestRootGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "protos")
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A"))
	p := serve(t, dir)
	conn := dial(t, p.addr())
	must(t, os.Rename(dir, dir+"-gone"))
	p.awaitLog("reload failed", dir)
	_, err := invoke(timeout(t), conn, "/p.A/Do", nil)
	contains(t, errText(err), "no handler answers it")
	write(t, filepath.Join(dir, "b.proto"), serviceProto("B"))
	p.awaitLog("added: p.B; removed: p.A")
}

// TestOddFiles serves files as some editors and systems write them, and is not
// disturbed by what else lies about.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"bom.proto":         "\ufeff" + serviceProto("Bom"),
		"crlf.proto":        strings.ReplaceAll(serviceProto("Crlf"), "\n", "\r\n"),
		"no newline.proto":  strings.TrimSpace(serviceProto("Spaces")),
		"ünïcode.proto":     serviceProto("Unicode"),
		".hidden.proto":     "broken",
		".git/x.proto":      "broken",
		"backup.proto~":     "broken",
		"notes.txt":         "broken",
		"a.proto.swp":       "broken",
		"folder.proto/a.md": "a folder that looks like a file",
	})
	must(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	must(t, os.Symlink("no-such.proto", filepath.Join(dir, "dangling.txt")))
	p := serve(t, dir)
	contains(t, p.out.String(), "Serving 4 services:", "p.Bom", "p.Crlf", "p.Spaces", "p.Unicode")
}
