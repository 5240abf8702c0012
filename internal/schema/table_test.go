package schema_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/tools/txtar"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

var update = flag.Bool("update", false, "write what was got into the want sections of testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTable compiles each archive of testdata and compares the result with its want section. The
// first line of an archive may be "sources: a b", relative to it; the default is the archive
// itself.
func TestTable(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			want := -1
			for i, f := range archive.Files {
				if f.Name == "want" {
					want = i
					continue
				}
				write(t, filepath.Join(dir, f.Name), string(f.Data))
			}
			if want < 0 {
				archive.Files = append(archive.Files, txtar.File{Name: "want"})
				want = len(archive.Files) - 1
			}
			c := schema.New(schema.Options{Sources: sources(dir, string(archive.Comment))})
			got := summary(compile(t, c), dir)
			if *update {
				archive.Files[want].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[want].Data), got); diff != "" {
				t.Errorf("mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func sources(dir, comment string) []schema.Source {
	head, _, _ := strings.Cut(comment, "\n")
	names, ok := strings.CutPrefix(head, "sources:")
	if !ok {
		return []schema.Source{schema.Path(dir)}
	}
	var out []schema.Source
	for _, name := range strings.Fields(names) {
		out = append(out, schema.Path(filepath.Join(dir, name)))
	}
	return out
}

func summary(s *schema.Snapshot, dir string) string {
	var b strings.Builder
	for _, service := range s.Services() {
		fmt.Fprintf(&b, "service %s in %s\n", service.Desc.FullName(), service.File.Path())
	}
	for _, broken := range s.Broken() {
		fmt.Fprintf(&b, "broken %s in %s, %d errors\n", broken.Name, broken.File.Path(), len(broken.Errors))
	}
	for _, d := range s.Diagnostics() {
		fmt.Fprintf(&b, "%s: %s\n", d.Severity, d.Error())
		if d.Severity == diag.Error {
			// The message above the picture is wrapped, which depends on the length of
			// paths.
			i := max(0, strings.Index(d.Text, " -->"))
			for line := range strings.Lines(d.Text[i:]) {
				b.WriteString("\t" + strings.TrimRight(line, " \n") + "\n")
			}
		}
	}
	out := strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
	return strings.ReplaceAll(out, dir, ".")
}

func compile(t testing.TB, c *schema.Compiler) *schema.Snapshot {
	t.Helper()
	s, err := c.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
