package dispatch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// answers are registrations that note their release.
type answers struct {
	list     []*handlers.Registration
	released int
}

func (a *answers) Registrations() []*handlers.Registration { return a.list }
func (a *answers) Release()                                { a.released++ }

// registration makes one of pattern, then rank, then "?" for MayDecline.
func registration(text string, impl handlers.Implementation) *handlers.Registration {
	fields := strings.Fields(text)
	reg := &handlers.Registration{Pattern: fields[0], Implementation: impl, Position: diag.Position{Path: text, Line: 1}}
	for _, f := range fields[1:] {
		if f == "?" {
			reg.MayDecline = true
			continue
		}
		_, _ = fmt.Sscan(f, &reg.Rank)
	}
	return reg
}

func leaseOf(texts ...string) *Lease {
	a := new(answers)
	for _, text := range texts {
		a.list = append(a.list, registration(text, echo))
	}
	return NewLease(a.list, a.Release)
}

func TestTable(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	g := b.reload(map[string]string{"a.proto": service("A", "rpc Other(AMsg) returns (AMsg);")})
	call, other := g.Route("/p.A/Call").Method, g.Route("/p.A/Other").Method
	for _, test := range []struct {
		providers   [][]string
		call, other string // the patterns of what answers
		problems    int
	}{
		{nil, "", "", 0},
		{[][]string{{"**", "p.**"}, {"p.A", "/p.A/Call"}}, "/p.A/Call 0", "p.A 0", 0},
		{[][]string{{"**", "p.**", "pp.**", "p.B", "p.A/Cal"}}, "p.** 0", "p.** 0", 0},
		{[][]string{{"p.A 1", "p.A 3"}, {"p.A 2"}}, "p.A 3 3", "p.A 3 3", 0},
		{[][]string{{"p.A/Call ?", "p.A 1 ?", "p.A 2"}, {"**"}}, "p.A/Call ? 0, p.A 2 2", "p.A 2 2", 0},
		{[][]string{{"p.A/Call ?", "p.A/Call -1 ?"}, {"** ?"}}, "p.A/Call ? 0, p.A/Call -1 ? -1, ** ? 0", "** ? 0", 0},
		{[][]string{{"p.A"}, {"p.A"}}, "tie", "tie", 1},
		{[][]string{{"p.A"}, {"p.A"}, {"p.A"}}, "tie", "tie", 2},
		{[][]string{{"p.A/Call", "p.A"}, {"p.A"}}, "p.A/Call 0", "tie", 1},
		{[][]string{{"p.A", "p.", "/"}}, "p.A 0", "p.A 0", 2},
	} {
		var leases []*Lease
		for _, texts := range test.providers {
			leases = append(leases, leaseOf(texts...))
		}
		table, problems := newTable(registrationsOf(leases))
		look := func(m *handlers.Method) string {
			regs, tie := table.lookup(m)
			if tie != nil {
				return "tie"
			}
			var out []string
			for _, reg := range regs {
				out = append(out, fmt.Sprint(reg.Position.Path, " ", reg.Rank))
			}
			return strings.Join(out, ", ")
		}
		if got := look(call); got != test.call {
			t.Errorf("%v: p.A/Call is answered by %q, want %q", test.providers, got, test.call)
		}
		if got := look(other); got != test.other {
			t.Errorf("%v: p.A/Other is answered by %q, want %q", test.providers, got, test.other)
		}
		if len(problems) != test.problems {
			t.Errorf("%v: problems %v, want %d", test.providers, problems, test.problems)
		}
	}
}

// TestTiesNameBoth checks what a tie says, and that what answered before stays.
func TestTiesNameBoth(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.registry.Handle("p.A/Call", echo)
	first := b.reload(map[string]string{"a.proto": service("A", ""), "b.proto": service("B", "")})
	b.input.Leases = append(b.input.Leases, leaseOf("p.A/Call", "p.B"))
	now, diags := b.builder.Build(first, b.input)
	if got := state(now); got != "p.A* p.B" || len(diags) != 1 || now.Route("/p.A/Call").Route != first.Route("/p.A/Call").Route {
		t.Errorf("services %q, diagnostics %v", got, diags)
	}
	if text := diags[0].Error(); !strings.Contains(text, `p.A/Call:1: "p.A/Call" is registered twice: here and at `) || !strings.Contains(text, "table_test.go:") {
		t.Error(text)
	}
	if len(now.Unmatched) != 0 {
		t.Errorf("%v match nothing", now.Unmatched)
	}
}
