package nearest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	known := []string{"tutorial.Greeter", "RouteGuide", "contact.Contact", "Cal"}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"Greeter", []string{"tutorial.Greeter"}},
		{"tutorial.greeter", []string{"tutorial.Greeter"}},
		{"other.Greter", []string{"tutorial.Greeter"}},
		{"RoutGuid", []string{"RouteGuide"}},
		{"Completely.Different", nil},
		{"", nil},
		{strings.Repeat("x", 10_000), nil},
	} {
		if got := Names(tt.name, known, 3); !slices.Equal(got, tt.want) {
			t.Errorf("Names(%.20q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNamesKeepsTheNearest(t *testing.T) {
	got := Names("SayHello", []string{"SayHallo1", "SayHello1", "SayHello"}, 2)
	if want := []string{"SayHello", "SayHello1"}; !slices.Equal(got, want) {
		t.Errorf("Names = %q, want %q", got, want)
	}
}

func BenchmarkNames(b *testing.B) {
	known := make([]string, 2000)
	for i := range known {
		known[i] = fmt.Sprintf("google.ads.CustomerManagerLinkServiceNumber%03d", i)
	}
	x := NewIndex(known)
	for b.Loop() {
		x.Names("CustomerManagerLinkServiceNumber", 3)
	}
}

// TestDistance compares with the textbook.
func TestDistance(t *testing.T) {
	textbook := func(a, b string) int {
		m := make([][]int, len(a)+1)
		for i := range m {
			m[i] = make([]int, len(b)+1)
			for j := range m[i] {
				switch {
				case i == 0 || j == 0:
					m[i][j] = i + j
				case a[i-1] == b[j-1]:
					m[i][j] = m[i-1][j-1]
				default:
					m[i][j] = 1 + min(m[i-1][j-1], m[i-1][j], m[i][j-1])
				}
			}
		}
		return m[len(a)][len(b)]
	}
	words := []string{""}
	for range 5 {
		for _, w := range words {
			words = append(words, w+"a", w+"b")
		}
		slices.Sort(words)
		words = slices.Compact(words)
	}
	row := make([]int, 20)
	for _, a := range words {
		for _, b := range words {
			for limit := range 4 {
				want := textbook(a, b)
				if got, ok := distance(a, b, limit, row); ok != (want <= limit) || ok && got != want {
					t.Fatalf("distance(%q, %q, %d) = %d, %t, want %d", a, b, limit, got, ok, want)
				}
			}
		}
	}
}

func TestDidYouMean(t *testing.T) {
	for want, near := range map[string][]string{
		"": nil, ` (did you mean "a"?)`: {"a"}, ` (did you mean "a" or "b"?)`: {"a", "b"},
	} {
		if got := DidYouMean(near); got != want {
			t.Errorf("%q gives %q, want %q", near, got, want)
		}
	}
}
