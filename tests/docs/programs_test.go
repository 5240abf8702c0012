package docs

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// patience is how long a program may take to start and to answer.
const patience = 2 * time.Minute

// TestPrograms does what the pages say: it writes their files into an empty
// folder, makes a module and a workspace, runs the module's tests, starts the
// program, and calls it.
func TestPrograms(t *testing.T) {
	rig.DependOn(t, "go.mod", "dynserver", "handlers", "internal") // which the programs import
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
			root, dir := rig.Root(t), t.TempDir()
			writeFiles(t, filepath.Join(root, test.page), dir)
			// The test's own context ends before the program is stopped.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
			t.Cleanup(cancel)
			run(ctx, t, dir, "go", "mod", "init", test.module)
			run(ctx, t, dir, "go", "work", "init", ".", root)
			run(ctx, t, dir, "go", "test", ".")
			run(ctx, t, dir, "go", "build", "-o", "program", ".")
			c, err := dynclient.Dial(ctx, start(ctx, t, dir))
			rig.Must(t, err)
			defer c.Close()
			var got json.RawMessage
			rig.Must(t, c.Invoke(ctx, test.method, json.RawMessage(test.request), &got))
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
	const address = `"127.0.0.1:50051"`
	replaced := false
	for _, block := range fileBlock.FindAllStringSubmatch(rig.Read(t, page), -1) {
		content := strings.ReplaceAll(block[2], address, `"127.0.0.1:0"`)
		replaced = replaced || content != block[2]
		rig.Write(t, filepath.Join(dir, filepath.FromSlash(block[1])), content)
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
	p := rig.StartCommand(t, command(ctx, dir, filepath.Join(dir, "program")))
	t.Cleanup(p.Stop)
	p.AwaitStdout("\n")
	line, _, _ := strings.Cut(p.Stdout.String(), "\n")
	addr, found := strings.CutPrefix(line, "gRPC on ")
	if !found {
		t.Fatalf("the program prints %q, want its address", line)
	}
	return addr
}
