package schema_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/internal/schema"
)

// leaf is a file with a service whose shape varies with i.
func leaf(i int) string {
	return fmt.Sprintf(`syntax = "proto3";
package leaf;
import "google/api/annotations.proto";
message Request { string name_%d = 1; }
service Leaf {
  rpc Do(Request) returns (Request) { option (google.api.http) = { get: "/v%d/leaf" }; }
}
`, i, i)
}

// peakRSS returns the peak memory of this process in bytes; 0 if it is unknown.
func peakRSS(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10
		}
	}
	return 0
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(s *schema.Snapshot) (out []string) {
	if s == nil {
		return nil
	}
	for _, service := range s.Services() {
		out = append(out, string(service.Desc.FullName()))
	}
	return out
}

func service(name string) string {
	return "syntax = \"proto3\";\npackage p;\nmessage M" + name + " {}\nservice " + name + " { rpc Do(M" + name + ") returns (M" + name + "); }\n"
}
