package httprule

import (
	"fmt"
	"testing"
)

// apis returns the rules of as many methods as googleapis has, in its style: 500 APIs with
// the usual methods on resources of resources.
func apis() (lines []string) {
	for i := range 500 {
		version, kind := fmt.Sprintf("v%d", 1+i%3), fmt.Sprintf("things%d", i)
		for j := range 4 {
			name := fmt.Sprintf("projects/*/locations/*/%s%d", kind, j)
			one := fmt.Sprintf("%s_%d.name", kind, j)
			lines = append(lines,
				fmt.Sprintf("GET /%s/{name=%s/*}", version, name),
				fmt.Sprintf("GET /%s/{parent=projects/*/locations/*}/%s%d", version, kind, j),
				fmt.Sprintf("POST /%s/{parent=projects/*/locations/*}/%s%d", version, kind, j),
				fmt.Sprintf("PATCH /%s/{%s=%s/*}", version, one, name),
				fmt.Sprintf("DELETE /%s/{name=%s/*}", version, name),
				fmt.Sprintf("POST /%s/{name=%s/*}:cancel", version, name),
			)
		}
		lines = append(lines, fmt.Sprintf("GET /%s/{name=files%d/**}", version, i))
	}
	return lines
}

// BenchmarkFind finds each of 12,500 rules in turn.
func BenchmarkFind(b *testing.B) {
	tr, conflicts := NewTree(rules(b, apis()...))
	if len(conflicts) > 0 {
		b.Fatal(conflicts)
	}
	all := tr.Bindings()
	paths := make([]string, len(all))
	for i, binding := range all {
		paths[i] = binding.Template.example()
	}
	values := make([]string, 0, 8)
	b.ReportAllocs()
	for i := 0; b.Loop(); i = (i + 1) % len(all) {
		var found *Binding
		if found, values = tr.Find(all[i].Verb, paths[i], values[:0]); found != all[i] {
			b.Fatal(paths[i])
		}
	}
}

// BenchmarkMiss asks for paths that do not exist: Find, and then Near.
func BenchmarkMiss(b *testing.B) {
	tr, _ := NewTree(rules(b, apis()...))
	const path = "/v1/projects/p/locations/l/thing30/x"
	b.Run("find", func(b *testing.B) {
		for b.Loop() {
			tr.Find("GET", path, nil)
		}
	})
	b.Run("near", func(b *testing.B) {
		for b.Loop() {
			tr.Near(path, 3)
		}
	})
}

func BenchmarkNewTree(b *testing.B) {
	bindings := rules(b, apis()...)
	for b.Loop() {
		NewTree(bindings)
	}
}

// TestFindAllocates checks that only values with escapes take memory.
func TestFindAllocates(t *testing.T) {
	tr := tree(t, "GET /v1/{name=shelves/*}/books/{id}:read")
	values := make([]string, 0, 2)
	for path, want := range map[string]float64{
		"/v1/shelves/1/books/2:read":     0,
		"/%76%31/shelves/1/books/2:read": 0,
		"/v1/shelves/1%2F/books/2:read":  0,
		"/v1/shelves/1/books/%20:read":   1,
		"/nothing":                       0,
	} {
		if got := testing.AllocsPerRun(100, func() { _, values = tr.Find("GET", path, values[:0]) }); got != want {
			t.Errorf("%s: %v allocations, want %v", path, got, want)
		}
	}
}
