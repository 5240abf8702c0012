package httprule

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// rules makes bindings without methods of lines "VERB template".
func rules(t testing.TB, lines ...string) []*Binding {
	t.Helper()
	out := make([]*Binding, len(lines))
	for i, line := range lines {
		verb, path, _ := strings.Cut(line, " ")
		template, err := Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = &Binding{Verb: verb, Template: template}
	}
	return out
}

func tree(t testing.TB, lines ...string) *Tree {
	t.Helper()
	tr, conflicts := NewTree(rules(t, lines...))
	if len(conflicts) > 0 {
		t.Fatalf("%s conflicts with %s", conflicts[0].Dropped.Template, conflicts[0].Kept.Template)
	}
	return tr
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rules  []string
		verb   string
		path   string
		want   string // the rule; "" for none
		values []string
	}{
		{"the root", []string{"GET /"}, "GET", "/", "GET /", nil},
		{"a variable", []string{"GET /v1/{id}"}, "GET", "/v1/7", "GET /v1/{id}", []string{"7"}},
		{"single: decoded once", []string{"GET /x/{a}"}, "GET", "/x/a%2Fb%252F%20c", "GET /x/{a}", []string{"a/b%2F c"}},
		{"multi: keeps slashes", []string{"GET /x/{a=**}"}, "GET", "/x/a%2Fb/%2f%20c%3A", "GET /x/{a=**}", []string{"a%2Fb/%2f c:"}},
		{"multi by two segments", []string{"GET /{a=x/*}"}, "GET", "/x/a%2Fb", "GET /{a=x/*}", []string{"x/a%2Fb"}},
		{"multi that held one segment", []string{"GET /x/{a=**}"}, "GET", "/x/a%2Fb", "GET /x/{a=**}", []string{"a%2Fb"}},
		{"single with a literal", []string{"GET /{a=x}"}, "GET", "/%78", "GET /{a=x}", []string{"x"}},
		{"** and no segment", []string{"GET /x/{a=**}"}, "GET", "/x", "GET /x/{a=**}", []string{""}},
		{"** and no segment at the root", []string{"GET /{a=**}"}, "GET", "/", "GET /{a=**}", []string{""}},
		{"** inside a variable and no segment", []string{"GET /{a=x/**}"}, "GET", "/x", "GET /{a=x/**}", []string{"x"}},
		{"** and empty segments", []string{"GET /x/{a=**}"}, "GET", "/x//a//", "GET /x/{a=**}", []string{"/a//"}},
		{"** before more", []string{"GET /{a=x/**}/y/{b}"}, "GET", "/x/1/2/y/3", "GET /{a=x/**}/y/{b}", []string{"x/1/2", "3"}},
		{"** before more and no segment", []string{"GET /{a=x/**}/y"}, "GET", "/x/y", "GET /{a=x/**}/y", []string{"x"}},
		{"** first, before more and no segment", []string{"GET /{a=**}/y"}, "GET", "/y", "GET /{a=**}/y", []string{""}},
		{"** before more that overlaps", []string{"GET /{a=x/**}/x"}, "GET", "/x", "", nil},
		{"a colon without a verb", []string{"GET /x/{a}"}, "GET", "/x/a:b", "GET /x/{a}", []string{"a:b"}},
		{"a colon of another verb", []string{"GET /x/{a}", "GET /y/{a}:b"}, "GET", "/x/a:b", "GET /x/{a}", []string{"a:b"}},
		{"a verb", []string{"GET /x/{a}", "GET /x/{a}:b"}, "GET", "/x/a:b", "GET /x/{a}:b", []string{"a"}},
		{"an escaped colon", []string{"GET /x/{a}", "GET /x/{a}:b"}, "GET", "/x/a%3Ab", "GET /x/{a}", []string{"a:b"}},
		{"the last colon", []string{"GET /x/{a}:b"}, "GET", "/x/a:c:b", "GET /x/{a}:b", []string{"a:c"}},
		{"an escaped verb", []string{"GET /x/{a}:b"}, "GET", "/x/a:%62", "GET /x/{a}:b", []string{"a"}},
		{"a verb after **", []string{"GET /x/{a=**}:b"}, "GET", "/x:b", "GET /x/{a=**}:b", []string{""}},
		{"a verb of another kind", []string{"POST /x/{a}:b", "GET /x/{a}"}, "GET", "/x/a:b", "GET /x/{a}", []string{"a:b"}},
		{"a verb before a literal without one", []string{"GET /x/{a}:b", "GET /x/y%3Ab"}, "GET", "/x/y:b", "GET /x/{a}:b", []string{"y"}},
		{"an escaped literal", []string{"GET /a%20b/c"}, "GET", "/a%20b/%63", "GET /a%20b/c", nil},
		{"a literal that is not escaped", []string{"GET /caf%C3%A9"}, "GET", "/café", "GET /caf%C3%A9", nil},
		{"no trailing slash", []string{"GET /x/{a}"}, "GET", "/x/1/", "", nil},
		{"no empty value", []string{"GET /x/{a}"}, "GET", "/x/", "", nil},
		{"no empty segment", []string{"GET /x/{a}/y"}, "GET", "/x//y", "", nil},
		{"too long", []string{"GET /x"}, "GET", "/x/y", "", nil},
		{"no slash", []string{"GET /x"}, "GET", "x", "", nil},
		{"empty", []string{"GET /"}, "GET", "", "", nil},
		{"a bad escape", []string{"GET /{a}"}, "GET", "/%4", "", nil},
		{"a bad escape where it does not matter", []string{"GET /x/{a=**}"}, "GET", "/x/y/%zz", "", nil},
		{"bytes that are not UTF-8", []string{"GET /{a}"}, "GET", "/%ff", "GET /{a}", []string{"\xff"}},
		{"literal before *", []string{"GET /{a}", "GET /x"}, "GET", "/x", "GET /x", nil},
		{"* before **", []string{"GET /{a=**}", "GET /{a}"}, "GET", "/x", "GET /{a}", []string{"x"}},
		{"nothing before **", []string{"GET /x/{a=**}", "GET /x"}, "GET", "/x", "GET /x", nil},
		{"the first difference decides", []string{"GET /{a}/y", "GET /x/{b}"}, "GET", "/x/y", "GET /x/{b}", []string{"y"}},
		{"the longer rest after **", []string{"GET /{a=**}", "GET /{a=**}/y", "GET /{a=**}/{b}/y"}, "GET", "/1/2/y", "GET /{a=**}/{b}/y", []string{"1", "2"}},
		{"back to *", []string{"GET /x/y/z", "GET /{a}/y/w"}, "GET", "/x/y/w", "GET /{a}/y/w", []string{"x"}},
		{"back for the kind", []string{"POST /x/y", "GET /x/{a}", "PUT /{a=**}"}, "PUT", "/x/y", "PUT /{a=**}", []string{"x/y"}},
		{"no kind fits", []string{"POST /x/y", "GET /x/{a}"}, "PUT", "/x/y", "", nil},
		{"every kind", []string{"* /x", "GET /x"}, "BREW", "/x", "* /x", nil},
		{"its own kind before every kind", []string{"* /x", "GET /x"}, "GET", "/x", "GET /x", nil},
		{"every kind before a vaguer path", []string{"* /x", "GET /{a}"}, "GET", "/x", "* /x", nil},
		{"HEAD by GET", []string{"GET /x", "* /x"}, "HEAD", "/x", "GET /x", nil},
		{"HEAD itself", []string{"GET /x", "HEAD /x"}, "HEAD", "/x", "HEAD /x", nil},
		{"kinds in their own case", []string{"get /x"}, "GET", "/x", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 {
				slices.Reverse(tt.rules)
				b, values := tree(t, tt.rules...).Find(tt.verb, tt.path, nil)
				got := ""
				if b != nil {
					got = b.Verb + " " + b.Template.String()
				}
				if got != tt.want || !reflect.DeepEqual(values, tt.values) {
					t.Errorf("got %q %q, want %q %q", got, values, tt.want, tt.values)
				}
			}
		})
	}
}

func TestFindAppends(t *testing.T) {
	tr := tree(t, "GET /{a}/{b}")
	if _, values := tr.Find("GET", "/1/2", []string{"0"}); !slices.Equal(values, []string{"0", "1", "2"}) {
		t.Errorf("got %q", values)
	}
	if _, values := tr.Find("GET", "/1", []string{"0"}); !slices.Equal(values, []string{"0"}) {
		t.Errorf("without a match: got %q", values)
	}
}

func TestAllow(t *testing.T) {
	tr := tree(t, "POST /x/y", "GET /x/{a}", "PATCH /x/{a}:b", "* /all")
	for path, want := range map[string][]string{
		"/x/y":   {"GET", "HEAD", "POST"},
		"/x/z":   {"GET", "HEAD"},
		"/x/z:b": {"GET", "HEAD", "PATCH"},
		"/all":   {"*"},
		"/no":    nil,
		"no":     nil,
	} {
		if got := tr.Allow(path); !slices.Equal(got, want) {
			t.Errorf("Allow(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	tr := tree(t, "GET /v1/shelves/{shelf}/books", "POST /v1/shelves/{shelf}/books", "GET /v1/shelves", "GET /v2/authors/{a}", "GET /v1/{name=files/**}")
	for path, want := range map[string][]string{
		"/v1/shelfs/1/books":             {"/v1/shelves/{shelf}/books"},
		"/v1/shelves/":                   {"/v1/shelves"},
		"/v2/authors/":                   {"/v2/authors/{a}"},
		"/v1/shelves/1/books/2":          {"/v1/shelves/{shelf}/books"},
		"/shelves/1/books":               {"/v1/shelves/{shelf}/books"},
		"/v1/shelves/1/books:x":          {"/v1/shelves/{shelf}/books"},
		"/v2/author/1":                   {"/v2/authors/{a}"},
		"/v1/file/a/b/c":                 {"/v1/{name=files/**}"},
		"/nothing/like/it/at/all":        nil,
		"/" + strings.Repeat("x/", 2000): nil,
		"":                               nil,
	} {
		if got := tr.Near(path, 2); !slices.Equal(got, want) {
			t.Errorf("Near(%.40q) = %q, want %q", path, got, want)
		}
	}
}

// TestNearest asks for what is nearer than a path with more or fewer segments.
func TestNearest(t *testing.T) {
	tr := tree(t, "GET /v1/get/{a}", "GET /v1/get/{a}:go", "GET /v1/gut", "GET /v1/greet/{a}", "GET /v1/greet/{a}/b", "GET /v1/features/{a}/{b}", "GET /v1/hello/{a}/{b}",
		"GET /v1/list", "GET /v1/list/{a}", "GET /v1/list/{a}/x", "GET /{a}", "GET /v1/x/{a=**}/z")
	for path, want := range map[string][]string{
		"/v1/get":             {"/v1/get/{a}"},
		"/v1/get/":            {"/v1/get/{a}"},
		"/v1/gett/x:go":       {"/v1/get/{a}:go", "/v1/greet/{a}"},
		"/v1/gett/x:no":       {"/v1/get/{a}", "/v1/get/{a}:go", "/v1/greet/{a}"},
		"/v1/list/":           {"/v1/list", "/v1/list/{a}"},
		"/":                   {"/{a}"},
		"/v1/greetings/World": {"/v1/greet/{a}"},
		"/v1/gr/World":        {"/v1/get/{a}"},
		"/v1/feat/1/2":        {"/v1/features/{a}/{b}"},
		"/v1/list//x":         {"/v1/list/{a}/x"},
		"/v1/hello/1":         {"/v1/hello/{a}/{b}"},
	} {
		if got := tr.Near(path, 3); !slices.Equal(got, want) {
			t.Errorf("Near(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestEmptyTree(t *testing.T) {
	var none *Tree
	b, _ := none.Find("GET", "/", nil)
	if b != nil || none.Allow("/") != nil || none.Near("/x", 3) != nil || none.Bindings() != nil || none.Has(rules(t, "GET /")[0]) {
		t.Error("the nil tree has something")
	}
}

// TestHostilePaths searches paths that would take exponential time if the work were not
// bounded: each segment could be a literal or a variable.
func TestHostilePaths(t *testing.T) {
	var lines []string
	for i := range 60 {
		lines = append(lines, "GET "+strings.Repeat("/*", i)+"/a"+strings.Repeat("/*", 60-i)+"/end")
		lines = append(lines, "PUT /z"+strings.Repeat("/*", i)+"/**/a"+strings.Repeat("/*", 50-min(i, 50))+"/end")
	}
	bindings := rules(t, lines...)
	tr, _ := NewTree(bindings)
	nodes := 0
	var count func(n *node)
	count = func(n *node) {
		if n == nil {
			return
		}
		nodes++
		count(n.single)
		count(n.rest)
		for _, l := range n.literals {
			count(l.node)
		}
	}
	count(tr.root)
	t.Logf("%d nodes", nodes)
	for _, path := range []string{
		strings.Repeat("/a", 62), strings.Repeat("/a", 1_000_000), strings.Repeat("/", 1_000_000), "/" + strings.Repeat("a", 1_000_000),
		"/z" + strings.Repeat("/a", 500_000) + ":end", "/" + strings.Repeat("%61", 300_000), "/z" + strings.Repeat("/%61", 100_000) + "/end",
		"/" + strings.Repeat(":", 1_000_000),
	} {
		tr.Find("GET", path, nil)
		tr.Find("PUT", path, nil)
		tr.Allow(path)
		tr.Near(path, 3)
	}
}

// slowFind is what Find does, by trying every template.
func slowFind(bindings []*Binding, verb, path string) (*Binding, []string) {
	var best *Binding
	var bestRank []int
	var bestValues []string
	for _, b := range bindings {
		for _, kind := range []string{verb, "GET", "*"} {
			if b.Verb != kind || kind == "GET" && verb != "GET" && verb != "HEAD" {
				continue
			}
			values, rank, ok := slowMatch(b.Template, path)
			rank = append(rank, slices.Index([]string{verb, "GET", "*"}, kind))
			if ok && (best == nil || slices.Compare(rank, bestRank) < 0) {
				best, bestRank, bestValues = b, rank, values
			}
			break
		}
	}
	return best, bestValues
}

// slowMatch matches one template, and ranks it by how specific it is.
func slowMatch(t *Template, path string) (values []string, rank []int, ok bool) {
	if _, err := url.PathUnescape(path); err != nil || !strings.HasPrefix(path, "/") {
		return nil, nil, false
	}
	rank = []int{1}
	if t.Verb != "" {
		colon := strings.LastIndex(path, ":")
		if colon < strings.LastIndex(path, "/") {
			return nil, nil, false
		}
		if verb, _ := url.PathUnescape(path[colon+1:]); verb != t.Verb {
			return nil, nil, false
		}
		path = path[:colon]
		rank = []int{0}
	}
	segments := strings.Split(path[1:], "/")
	if path == "/" {
		segments = nil
	}
	open := slices.IndexFunc(t.Segments, func(s Segment) bool { return s.Kind == Multi })
	spread := make([][]string, len(t.Segments)) // the segments for each of the template's
	extra := len(segments) - len(t.Segments)
	if open < 0 && extra != 0 || extra < -1 {
		return nil, nil, false
	}
	at := 0
	for i, s := range t.Segments {
		n := 1
		if s.Kind == Multi {
			n = extra + 1
		}
		spread[i] = segments[at : at+n]
		at += n
		if s.Kind == Multi {
			continue
		}
		text, _ := url.PathUnescape(spread[i][0])
		if s.Kind == Literal && text != s.Text || s.Kind == Single && text == "" {
			return nil, nil, false
		}
	}
	for _, c := range t.Captures {
		values = append(values, slowValue(t, c, slices.Concat(spread[c.Start:c.End]...)))
	}
	var tail []int
	for i, s := range t.Segments {
		switch {
		case open >= 0 && i > open:
			tail = append([]int{int(s.Kind)}, tail...)
		default:
			rank = append(rank, int(s.Kind))
		}
	}
	rank = append(rank, tail...)
	if open >= 0 {
		rank = append(rank, 3) // a longer rest comes first
	}
	return values, rank, true
}

func slowValue(t *Template, c Capture, segments []string) string {
	text := strings.Join(segments, "/")
	if c.End-c.Start == 1 && t.Segments[c.Start].Kind != Multi {
		text, _ = url.PathUnescape(text)
		return text
	}
	text = strings.NewReplacer("%2F", "%252F", "%2f", "%252f").Replace(text)
	text, _ = url.PathUnescape(text)
	return text
}

// FuzzFind compares Find with slowFind. The text has a verb, a path and templates, on lines.
func FuzzFind(f *testing.F) {
	f.Add("GET\n/x/a:b\nGET /x/{a}\nGET /x/{a}:b\nPOST /x/a")
	f.Add("HEAD\n/x/1/y/%2F%252f\nGET /{a=x/**}/{b}\n* /x/**\nGET /x/*/y/{b=**}")
	f.Add("PUT\n//\nPUT /**\nPUT /{a=**}/b\n* /")
	f.Add("GET\n/a/b/c\nGET /{p=a/**}/c\nGET /{p=**}/b/c\nGET /*/b/{c}\nGET /a/{q=**}:c")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		if len(lines) < 3 || len(lines) > 12 {
			return
		}
		var bindings []*Binding
		for _, line := range lines[2:] {
			verb, path, _ := strings.Cut(line, " ")
			if template, err := Parse(path); err == nil {
				bindings = append(bindings, &Binding{Verb: verb, Template: template})
			}
		}
		tr, conflicts := NewTree(bindings)
		for _, c := range conflicts {
			if c.Kept.Verb != c.Dropped.Verb {
				t.Fatalf("%v", c)
			}
			for _, b := range []*Binding{c.Kept, c.Dropped} {
				if _, _, ok := slowMatch(b.Template, c.Path); !ok {
					t.Fatalf("%s does not match the example %s", b.Template, c.Path)
				}
			}
		}
		got := compareFinds(t, tr, lines[0], lines[1])
		if got != nil && len(tr.Allow(lines[1])) == 0 {
			t.Fatal("Allow has no verb for it")
		}
		tr.Near(lines[1], 3)
	})
}

// TestFindRandomly compares Find with slowFind on templates and paths that are likely to
// match.
func TestFindRandomly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for range 4000 {
		var bindings []*Binding
		for range 1 + r.IntN(8) {
			path := ""
			for i := range 1 + r.IntN(5) {
				segment := pick("a", "b", "a%2Fb", "*", "a", "b", "*", "**")
				path += "/" + pick(segment, fmt.Sprintf("{v%d=%s}", i, segment), segment, fmt.Sprintf("{v%d=%s/%s}", i, segment, pick("a", "*", "**")))
			}
			template, err := Parse(path + pick("", "", ":a", ":b"))
			if err != nil {
				continue
			}
			bindings = append(bindings, &Binding{Verb: pick("GET", "PUT", "HEAD", "*"), Template: template})
		}
		tr, _ := NewTree(bindings)
		for range 20 {
			path := ""
			for range r.IntN(7) {
				path += "/" + pick("a", "b", "a", "b", "a%2fb", "%61", "", "a:b", "c%252F")
			}
			compareFinds(t, tr, pick("GET", "PUT", "HEAD", "BREW"), path+pick("", "", ":a", ":b", "/"))
		}
	}
}

func compareFinds(t *testing.T, tr *Tree, verb, path string) *Binding {
	t.Helper()
	got, values := tr.Find(verb, path, nil)
	want, wantValues := slowFind(tr.Bindings(), verb, path)
	if got != want || !slices.Equal(values, wantValues) {
		t.Fatalf("%s %s: got %s %q, want %s %q", verb, path, show(got), values, show(want), wantValues)
	}
	return got
}

func show(b *Binding) string {
	return cmp.Or(b, &Binding{Template: new(Template)}).Template.String()
}
