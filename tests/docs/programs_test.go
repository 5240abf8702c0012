// Package docs tests the programs that the documentation shows.
package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynclient"
	// The programs import these. Importing them here too makes go test run this
	// test again when they change.
	_ "github.com/dyngate/dyngate/dynserver"
	_ "github.com/dyngate/dyngate/handlers"
	_ "github.com/dyngate/dyngate/handlers/diag"
)

// patience is how long a program may take to start and to answer.
const patience = 2 * time.Minute

// TestPrograms does what the pages say: it writes their files into an empty
// folder, makes a module and a workspace, runs the module's tests, starts the
// program, and calls it.
func TestPrograms(t *testing.T) {
	for _, test := range []struct {
		page, module, method, request, want string
	}{
		{"README.md", "hello", "hello.Greeter/Hello", `{"name": "Ada"}`, `{"message":"Hello, Ada!"}`},
		{
			"docs/guides/first-service.md", "shop", "shop.v1.Orders/Place",
			`{"lines": [{"article": "tea", "quantity": 3, "cents": 250}]}`, `{"totalCents":"750"}`,
		},
	} {
		t.Run(test.page, func(t *testing.T) {
			root, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			writeFiles(t, filepath.Join(root, test.page), dir)
			// The test's own context ends before the program is stopped.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
			t.Cleanup(cancel)
			run(ctx, t, dir, "go", "mod", "init", test.module)
			run(ctx, t, dir, "go", "work", "init", ".", root)
			run(ctx, t, dir, "go", "test", ".")
			run(ctx, t, dir, "go", "build", "-o", "program", ".")
			c, err := dynclient.Dial(ctx, start(ctx, t, dir))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var got json.RawMessage
			if err := c.Invoke(ctx, test.method, json.RawMessage(test.request), &got); err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("%s answers %s, want %s", test.method, got, test.want)
			}
		})
	}
}

// fileBlock matches a file of a page: its path on a line of its own, and its
// content in the code block below.
var fileBlock = regexp.MustCompile("(?ms)^`([\\w./]+)`:\n\n```\\w+\n(.*?)^```$")

// writeFiles writes the files that a page shows. Programs listen on a free port
// instead of the one on the page, which may be in use.
func writeFiles(t *testing.T, page, dir string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const address = `"127.0.0.1:50051"`
	replaced := false
	for _, block := range fileBlock.FindAllStringSubmatch(string(text), -1) {
		path := filepath.Join(dir, filepath.FromSlash(block[1]))
		content := strings.ReplaceAll(block[2], address, `"127.0.0.1:0"`)
		replaced = replaced || content != block[2]
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !replaced {
		t.Fatalf("%s has no file that listens on %s", page, address)
	}
}

// run runs a command of a page. It needs no network: the module cache has what
// the test itself was built from.
func run(ctx context.Context, t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if out, err := command(ctx, dir, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=")
	return cmd
}

// start starts the program, stops it at the end of the test, and returns the
// address that it prints.
func start(ctx context.Context, t *testing.T, dir string) string {
	t.Helper()
	cmd := command(ctx, dir, filepath.Join(dir, "program"))
	var log strings.Builder // read after Wait only
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // Wait reports a program that has exited
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program ended with %v\n%s", err, &log)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the address: %v", err)
	}
	addr, found := strings.CutPrefix(strings.TrimSpace(line), "gRPC on ")
	if !found {
		t.Fatalf("the program prints %q, want its address", line)
	}
	return addr
}
