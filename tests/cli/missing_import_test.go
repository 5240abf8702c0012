package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// misplaced is a tree whose import root is tree/api, not tree.
var misplaced = map[string]string{
	"tree/api/shop/v1/a.proto": `edition = "2023";
package shop.v1;
import "shop/v1/b.proto";
message M {
  Item item = 1;
  shop.v1.Item again = 2;
  map<string, Item> items = 3;
}
service S { rpc Get(M) returns (Item); }
extend Item { string extra = 100; }
`,
	"tree/api/shop/v1/b.proto":          "edition = \"2023\";\npackage shop.v1;\nmessage Item { extensions 100; }\n",
	"tree/api/shop/v1/public.proto":     "syntax = \"proto3\";\npackage shop.v1;\nimport public \"shop/v1/b.proto\";\n",
	"tree/api/shop/v1/user.proto":       "syntax = \"proto3\";\npackage shop.v1;\nimport \"api/shop/v1/public.proto\";\nmessage U { Item item = 1; }\n",
	"other/c.proto":                     "syntax = \"proto3\";\nimport \"lib/d.proto\";\nmessage C { D d = 1; }\n",
	"vendored/lib/d.proto":              "syntax = \"proto3\";\nmessage D {}\n",
	"typo/e.proto":                      "syntax = \"proto3\";\nmessage E { strin text = 1; }\n",
	"typo/f.proto":                      "syntax = \"proto3\";\nimport \"nowhere/at/all.proto\";\nmessage F { Missing m = 1; }\n",
	"typo/.hidden/nowhere/at/all.proto": "syntax = \"proto3\";\nmessage Missing {}\n",
}

// TestCheckNamesTheRootOfAMissingImport checks folders that are above or
// below the import root, and one of two roots.
func TestCheckNamesTheRootOfAMissingImport(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, misplaced)
	for name, test := range map[string]struct {
		paths  []string
		errors int
		wants  []string
	}{
		"too high": {[]string{"tree"}, 2, []string{"found tree/api/shop/v1/b.proto: serve tree/api instead of tree"}},
		"two too high": {[]string{"."}, 6, []string{
			"found tree/api/shop/v1/b.proto: serve tree/api instead of .", "found vendored/lib/d.proto: serve vendored instead of .",
		}},
		"too low":     {[]string{"tree/api/shop"}, 3, []string{"found tree/api/shop/v1/b.proto: serve tree/api instead of tree/api/shop", "found tree/api/shop/v1/public.proto: serve tree instead of tree/api/shop"}},
		"a file":      {[]string{"tree/api/shop/v1/user.proto"}, 1, []string{"found tree/api/shop/v1/public.proto: serve tree instead of tree/api/shop/v1"}},
		"beside":      {[]string{"other"}, 1, []string{"found vendored/lib/d.proto: serve vendored too"}},
		"not there":   {[]string{"typo"}, 2, []string{"cannot find `strin` in this scope", "\"nowhere/at/all.proto\" does not exist; searched typo, the files that ship with dyngate\n"}},
		"right roots": {[]string{"tree/api", "other", "vendored"}, 1, []string{"found tree/api/shop/v1/public.proto: serve tree instead of tree/api"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--format", "json"}
			for _, path := range test.paths {
				args = append(args, filepath.Join(dir, path))
			}
			out, _, _ := check(t, dir, args...)
			out = strings.ReplaceAll(strings.ReplaceAll(out, dir, "."), `\"`, `"`)
			out = strings.ReplaceAll(out, `"}`, "\n")
			if got := strings.Count(out, `{"severity":"error"`); got != test.errors {
				t.Errorf("%d errors, want %d", got, test.errors)
			}
			rig.WantText(t, out, test.wants...)
			for _, consequence := range []string{"`Item`", "`shop.v1.Item`", "`D`", "`Missing`", "type ``"} {
				if strings.Contains(out, consequence) {
					t.Errorf("an error about %s only follows from the missing import: %s", consequence, out)
				}
			}
		})
	}
}

// TestCheckFindsRootsRelatively checks that the folder to serve is relative to the
// working directory.
func TestCheckFindsRootsRelatively(t *testing.T) {
	dir := rig.Folder(t, misplaced)
	t.Chdir(filepath.Join(dir, "tree", "api", "shop"))
	out, _, _ := check(t, dir, "--format", "json", "v1/a.proto")
	rig.WantText(t, out, "found ../shop/v1/b.proto: serve .. instead of v1")
}

// TestCheckDoesNotSearchHome has the missing file where check must not search it.
func TestCheckDoesNotSearchHome(t *testing.T) {
	dir := rig.Folder(t, map[string]string{
		"home/work/served/a.proto": "syntax = \"proto3\";\nimport \"lib/b.proto\";\n",
		"home/lib/b.proto":         "syntax = \"proto3\";\n",
		"home/x/lib/b.proto":       "syntax = \"proto3\";\n",
	})
	rig.Binary(t) // built with the cache in the real home folder
	t.Setenv("HOME", filepath.Join(dir, "home"))
	out, _, _ := check(t, dir, filepath.Join(dir, "home", "work", "served"))
	if rig.WantText(t, out, "does not exist"); strings.Contains(out, "found") {
		t.Errorf("it searched the home folder: %s", out)
	}
	if err := os.Rename(filepath.Join(dir, "home", "lib"), filepath.Join(dir, "home", "work", "lib")); err != nil {
		t.Fatal(err)
	}
	out, _, _ = check(t, dir, "--format", "json", filepath.Join(dir, "home", "work", "served"))
	rig.WantText(t, out, "found home/work/lib/b.proto: serve home/work instead of home/work/served")
}
