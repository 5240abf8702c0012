package nearest

import (
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
