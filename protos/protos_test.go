package protos_test

import (
	"strings"
	"testing"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/protos"
)

// TestEveryMethodHasAPath checks that the rules fit the services, and that none is
// forgotten.
func TestEveryMethodHasAPath(t *testing.T) {
	for name, source := range map[string]dynserver.Source{"embedded": dynserver.FS("protos", protos.FS), "folder": dynserver.Path(".")} {
		result, err := dynserver.Check(t.Context(), dynserver.Config{Sources: []dynserver.Source{source}})
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Services) != 9 {
			t.Errorf("%s: %d services", name, len(result.Services))
		}
		for _, d := range result.Diagnostics {
			if d.Severity == diag.Error || strings.HasSuffix(d.Path, ".yaml") {
				t.Errorf("%s: %v", name, d)
			}
		}
		for _, s := range result.Services {
			for _, m := range s.Methods {
				if len(m.HTTP) == 0 {
					t.Errorf("%s: %s has no path", name, m.Path)
				}
			}
		}
	}
}
