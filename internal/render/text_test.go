package render

import "testing"

// TestStable has the same text of both forms that prototext's builds write.
func TestStable(t *testing.T) {
	const want = "a: 1\nb: {\n  c: \"d:  e\"\n  [x/t.M]: {\n    f: \"\\n  g:  h\"\n  }\n}\n"
	for _, text := range []string{
		want,
		"a:  1\nb:  {\n  c:  \"d:  e\"\n  [x/t.M]:  {\n    f:  \"\\n  g:  h\"\n  }\n}\n",
	} {
		if got := string(stable([]byte(text))); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
