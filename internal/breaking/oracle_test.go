package breaking_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/internal/breaking"
)

// bufRules are the rules that package breaking has, and the one that buf names
// instead of PACKAGE_SERVICE_NO_DELETE when nothing of a package is left.
const bufRules = `{"version": "v2", "breaking": {"use": ["WIRE_JSON", "RPC_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE", "PACKAGE_NO_DELETE"]}}`

// TestBuf compares the rules that the cases of testdata break with those that
// buf names. DYNGATE_BUF is the buf to ask; it was v1.72.0.
func TestBuf(t *testing.T) {
	t.Parallel()
	for _, path := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			_, cases := load(t, path)
			for _, c := range cases {
				want := rulesOf(breaking.Compare(compile(t, c.old()), compile(t, c.now())))
				if differs, ok := c.sections["buf"]; ok {
					want = strings.Fields(differs)
				}
				var got []string
				for _, rules := range askBuf(t, c.old(), c.now()) {
					got = append(got, rules...)
				}
				if diff := cmp.Diff(want, unique(got)); diff != "" {
					t.Errorf("%s (-ours +buf):\n%s", c.name, diff)
				}
			}
		})
	}
}

// askBuf returns the rules that buf finds broken, by import path.
func askBuf(t *testing.T, old, now string) map[string][]string {
	t.Helper()
	buf := os.Getenv("DYNGATE_BUF")
	if buf == "" {
		t.Skip("DYNGATE_BUF does not name a buf")
	}
	cmd := exec.CommandContext(t.Context(), buf, "breaking", now, "--against", old, "--config", bufRules, "--error-format", "json")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 100) {
		t.Fatalf("buf: %v\n%s", err, &said)
	}
	rules := make(map[string][]string)
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var found struct{ Path, Type string }
		if err := list.Decode(&found); err == io.EOF {
			return rules
		} else if err != nil {
			t.Fatalf("buf: %v\n%s", err, out)
		}
		path := strings.TrimPrefix(found.Path, now+"/")
		rules[path] = append(rules[path], found.Type)
	}
}

func rulesOf(changes []breaking.Change) []string {
	var rules []string
	for _, c := range changes {
		rules = append(rules, c.Rule)
	}
	return unique(rules)
}

func unique(rules []string) []string {
	slices.Sort(rules)
	return slices.Compact(rules)
}
