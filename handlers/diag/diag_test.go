package diag_test

import (
	"strings"
	"testing"

	"github.com/dyngate/dyngate/handlers/diag"
)

func TestPosition(t *testing.T) {
	for at, want := range map[diag.Position]string{
		{}:                                    "",
		{Path: "a.proto"}:                     "a.proto",
		{Path: "main.go", Line: 7}:            "main.go:7",
		{Path: "a.proto", Line: 7, Column: 3}: "a.proto:7:3",
		{Path: "a b/c.proto", Line: 7, Column: 3}: "a b/c.proto:7:3",
	} {
		if got := at.String(); got != want {
			t.Errorf("%#v is %q, want %q", at, got, want)
		}
	}
}

func TestSort(t *testing.T) {
	at := func(path string, line int) diag.Position { return diag.Position{Path: path, Line: line, Column: 1} }
	list := []*diag.Diagnostic{
		diag.New(diag.Hint, at("a", 1), "style"),
		diag.New(diag.Error, at("b", 2), "two"),
		diag.New(diag.Warning, at("a", 9), "beware"),
		{Severity: diag.Error, Position: at("b", 0), Message: "5 more", Omitted: 5},
		diag.New(diag.Error, at("b", 1), "one"),
		diag.New(diag.Error, at("b", 2), "two"),
		diag.New(diag.Error, diag.Position{}, "no file"),
	}
	var got []string
	for _, d := range diag.Sort(list) {
		got = append(got, d.Message)
	}
	if want := "no file,one,two,5 more,beware,style"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestRender(t *testing.T) {
	if got := diag.Render([]*diag.Diagnostic{diag.New(diag.Hint, diag.Position{}, "style")}); got != "" {
		t.Errorf("hints alone render as %q", got)
	}
	list := []*diag.Diagnostic{
		diag.New(diag.Error, diag.Position{Path: "a.proto", Line: 1, Column: 2}, "no %s", "way"),
		diag.New(diag.Warning, diag.Position{}, "%s", strings.Repeat("ä", 1000)),
	}
	got := diag.Render(list)
	if !strings.HasPrefix(got, "error: no way\n --> a.proto:1:2\n\nwarning: ää") || !strings.HasSuffix(got, "ä…\n\n1 error, 1 warning") || len(got) > 1100 {
		t.Errorf("got %q", got)
	}
	if text := list[0].Error(); text != "a.proto:1:2: no way" {
		t.Errorf("in one line: %q", text)
	}
	if list[0].Key() == list[1].Key() || list[0].Key() != list[0].Text {
		t.Error("keys are wrong")
	}
}

// TestDetails has a message of several lines.
func TestDetails(t *testing.T) {
	d := diag.New(diag.Error, diag.Position{Path: "a.proto", Line: 1, Column: 2}, "it does not fit\none\ntwo")
	if want := "error: it does not fit\n --> a.proto:1:2\n  one\n  two\n"; d.Text != want {
		t.Errorf("text %q, want %q", d.Text, want)
	}
	if got, want := d.Error(), "a.proto:1:2: it does not fit\n  one\n  two"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	if got, want := diag.New(diag.Error, diag.Position{}, "a\nb").Error(), "a\n  b"; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	long := diag.Clip(strings.Repeat(strings.Repeat("x", 2000)+"\n", 60))
	if lines := strings.Split(long, "\n"); len(lines) != 51 || lines[50] != "and 11 more" || len(lines[0]) > 1010 {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

// TestRenderIsSafe renders diagnostics of a provider that copies text of others, sets
// no text, and uses a severity that does not exist.
func TestRenderIsSafe(t *testing.T) {
	at := diag.Position{Path: "a\x1b]0;title\a\nerror: forged", Line: 3}
	list := []*diag.Diagnostic{
		diag.New(diag.Error, at, "bad \x1b[2Jname\u202e\nits \x9b detail"),
		{Severity: 9, Message: "no text"},
		{Severity: -1, Text: "text only\x1b"},
	}
	got := diag.Render(list)
	if strings.ContainsAny(got, "\x1b\a\u202e") || strings.Contains(got, "\nerror: forged") {
		t.Errorf("unsafe: %q", got)
	}
	if want := "severity(9): no text\n\ntext only\ufffd\n\n1 error, 2 warnings"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want the end %q", got, want)
	}
	if got, want := list[0].Error(), "a\ufffd]0;title\ufffd\ufffderror: forged:3: bad \ufffd[2Jname\ufffd\n  its \ufffd detail"; got != want {
		t.Errorf("in one line: %q, want %q", got, want)
	}
	if list[1].Key() == (&diag.Diagnostic{Message: "other"}).Key() {
		t.Error("different messages without a text have the same key")
	}
	if list[0].Path != at.Path {
		t.Errorf("the position is now %q", list[0].Path)
	}
}
