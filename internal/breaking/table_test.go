package breaking_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/dyngate/dyngate/internal/breaking"
	"github.com/dyngate/dyngate/internal/schema"
)

var update = flag.Bool("update", false, "write what was got into the want sections of testdata")

// TestTable compares the two sides of each case of testdata with each other,
// and what came out with the case's want section.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, path := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, cases := load(t, path)
			for _, c := range cases {
				got := ""
				for _, change := range breaking.Compare(compile(t, c.old()), compile(t, c.now())) {
					was := strings.TrimPrefix(change.Old.String(), c.old()+"/")
					is := strings.TrimPrefix(change.New.String(), c.now()+"/")
					got += fmt.Sprintf("%s: %s [%s] was %s\n", is, change.Message, change.Rule, was)
				}
				if want := c.section("want"); *update {
					archive.Files = put(archive.Files, c.name+"/want", got)
				} else if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.name, diff)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// example is one case of an archive: the files below old and now, what breaks
// (want), and the rules that buf names where it names others (buf).
type example struct {
	name     string
	dir      string
	sections map[string]string
}

func (e *example) old() string { return filepath.Join(e.dir, "old") }
func (e *example) now() string { return filepath.Join(e.dir, "now") }

func (e *example) section(name string) string { return e.sections[name] }

func archives(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	return paths
}

// load writes the cases of an archive into folders.
func load(t *testing.T, path string) (*txtar.Archive, []*example) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []*example
	for _, f := range archive.Files {
		name, rest, _ := strings.Cut(f.Name, "/")
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, &example{name: name, dir: t.TempDir(), sections: make(map[string]string)})
		}
		c := list[len(list)-1]
		if strings.HasSuffix(rest, ".proto") {
			write(t, filepath.Join(c.dir, rest), string(f.Data))
		} else {
			c.sections[rest] = string(f.Data)
		}
	}
	return archive, list
}

// put sets a section of an archive, behind the others of its case.
func put(files []txtar.File, name, content string) []txtar.File {
	dir, _, _ := strings.Cut(name, "/")
	last := 0
	for i, f := range files {
		if f.Name == name {
			files[i].Data = []byte(content)
			return files
		}
		if strings.HasPrefix(f.Name, dir+"/") {
			last = i
		}
	}
	out := append([]txtar.File(nil), files[:last+1]...)
	return append(append(out, txtar.File{Name: name, Data: []byte(content)}), files[last+1:]...)
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

// compile compiles a folder that must have no errors.
func compile(t testing.TB, dir string) *schema.Snapshot {
	t.Helper()
	snap := snapshot(t, schema.Path(dir))
	for _, d := range snap.Errors() {
		t.Error(d)
	}
	return snap
}

func snapshot(t testing.TB, sources ...schema.Source) *schema.Snapshot {
	t.Helper()
	snap, err := schema.New(schema.Options{Sources: sources}).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}
