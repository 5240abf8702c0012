package dynserver

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/handlers/diag"
)

// A warning about names that several files declare is new once, not with each change of the files.
func TestHomonymsAreReportedOnce(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.proto", declares+"A {}")
	write("b.proto", declares+"B {}")
	var last Report
	s, err := New(t.Context(), Config{
		Sources: []Source{Path(dir)}, Log: slog.New(slog.DiscardHandler), OnReload: func(r Report) { last = r },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(t.Context()) })
	warnings := func() string {
		var b strings.Builder
		for _, d := range last.New {
			if d.Severity == diag.Warning {
				b.WriteString(strings.ReplaceAll(d.Error(), dir+string(filepath.Separator), "") + "\n")
			}
		}
		return b.String()
	}
	const why = "; clients that load all files at once fail (buf curl --list-methods)\n"
	if got, want := warnings(), "a.proto:1:39: p.M is also declared in b.proto:1:39"+why; got != want {
		t.Errorf("at the start: got %q, want %q", got, want)
	}
	for _, step := range []struct{ what, file, text, want string }{
		{"the first line moves", "a.proto", "// A comment.\n" + declares + "A { rpc Do(M) returns (M); }", ""},
		{"the other line moves", "b.proto", "// A comment.\n" + declares + "B { rpc Do(M) returns (M); }", ""},
		{"a file comes", "c.proto", declares + "C {}", "a.proto:2:39: p.M is also declared in b.proto:2:39 and c.proto:1:39" + why},
	} {
		write(step.file, step.text)
		if _, err := s.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := warnings(); got != step.want {
			t.Errorf("%s: got %q, want %q", step.what, got, step.want)
		}
	}
}
