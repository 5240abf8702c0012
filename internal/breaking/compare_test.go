package breaking_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/breaking"
	"github.com/dyngate/dyngate/internal/schema"
)

const head = "syntax = \"proto3\";\npackage p;\n"

// files compiles files, by path.
func files(t testing.TB, name string, texts map[string]string) *schema.Snapshot {
	t.Helper()
	fsys := fstest.MapFS{}
	for path, text := range texts {
		fsys[path] = &fstest.MapFile{Data: []byte(head + text)}
	}
	return snapshot(t, schema.FS(name, fsys))
}

// TestPairs compares snapshots of which some files are broken, or declare the
// same names.
func TestPairs(t *testing.T) {
	t.Parallel()
	const (
		str     = "message M { string a = 1; }\n"
		num     = "message M { int32 a = 1; }\n"
		flag    = "message M { bool a = 1; }\n"
		service = "message In {}\nservice S { rpc Do(In) returns (In); }\n"
	)
	type texts map[string]string
	for name, test := range map[string]struct {
		old, now texts
		want     string
	}{
		"each in its file": {
			texts{"a.proto": str, "b.proto": num, "c.proto": flag},
			texts{"a.proto": str, "b.proto": flag, "c.proto": flag},
			"now/b.proto:3:18: int32 to bool",
		},
		"the rest in order": {
			texts{"a.proto": str, "b.proto": num, "d.proto": flag},
			texts{"b.proto": num, "x.proto": flag, "y.proto": flag},
			"now/x.proto:3:18: string to bool",
		},
		"what has no partner": {
			texts{"a.proto": str, "b.proto": num},
			texts{"a.proto": str},
			"",
		},
		"broken now": {
			texts{"a.proto": str + service, "b.proto": num},
			texts{"a.proto": "message M { flaot a = 1; }" + service, "b.proto": flag},
			"now/b.proto:3:18: int32 to bool",
		},
		"broken and unreadable now": {
			texts{"a.proto": str + service, "b.proto": num},
			texts{"a.proto": "message {{{", "b.proto": flag},
			"now/b.proto:3:18: int32 to bool",
		},
		"broken before": {
			texts{"a.proto": "message M { flaot a = 1; }", "b.proto": num + service},
			texts{"a.proto": str, "b.proto": "message N {}"},
			"now/b.proto: service p.S was removed",
		},
		"moved out of a broken file": {
			texts{"a.proto": "message In {}\nmessage Out {}\nservice S { rpc Do(In) returns (Out); }"},
			texts{"a.proto": "broken", "b.proto": service},
			"now/b.proto:4:17: p.Out to p.In",
		},
		"declared twice now": {
			texts{"a.proto": service},
			texts{"a.proto": service, "b.proto": service},
			"",
		},
		"nothing left": {
			texts{"a.proto": service},
			texts{},
			": service p.S was removed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, c := range breaking.Compare(files(t, "old", test.old), files(t, "now", test.now)) {
				_, short, _ := strings.Cut(c.Message, "changed from ")
				if short == "" {
					short = c.Message
				}
				got = append(got, fmt.Sprintf("%s: %s", c.New, short))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOrder compares twice, and wants the same order, that of new positions.
func TestOrder(t *testing.T) {
	t.Parallel()
	old, now := map[string]string{}, map[string]string{}
	for i := range 20 {
		path := fmt.Sprintf("%02d.proto", i)
		old[path] = fmt.Sprintf("message M%d { string a = 1; string b = 2; }", i)
		now[path] = fmt.Sprintf("message M%d { bool bb = 2; bool aa = 1; }", i)
	}
	first := breaking.Compare(files(t, "old", old), files(t, "now", now))
	if len(first) != 20*6 {
		t.Fatalf("%d changes", len(first))
	}
	for i, c := range first[1:] {
		if before := first[i]; c.New.Path < before.New.Path || c.New.Path == before.New.Path && c.New.Column < before.New.Column {
			t.Errorf("%v comes after %v", c, before)
		}
	}
	if diff := cmp.Diff(first, breaking.Compare(files(t, "old", old), files(t, "now", now))); diff != "" {
		t.Errorf("the second time (-first +second):\n%s", diff)
	}
}

// TestDescriptorSet compares with descriptor sets, one of which has no
// positions.
func TestDescriptorSet(t *testing.T) {
	t.Parallel()
	old := files(t, "old", map[string]string{"a.proto": "message M { string a = 1; }"})
	now := files(t, "now", map[string]string{"a.proto": "message M { int32 a = 1; }"})
	for name, test := range map[string]struct {
		positions bool
		want      string
	}{
		"with positions":    {true, "set.binpb!a.proto:3:13"},
		"without positions": {false, "set.binpb!a.proto"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fd := protodesc.ToFileDescriptorProto(old.File("a.proto").DescriptorWithComments())
			if !test.positions {
				fd.SourceCodeInfo = nil
			}
			content, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{fd}})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "set.binpb")
			write(t, path, string(content))
			changes := breaking.Compare(snapshot(t, schema.Path(path)), now)
			if len(changes) != 1 || filepath.Base(changes[0].Old.String()) != test.want || changes[0].New.String() != "now/a.proto:3:19" {
				t.Errorf("got %+v", changes)
			}
		})
	}
}

// FuzzCompare compares random texts. Nothing breaks from a schema to itself.
func FuzzCompare(f *testing.F) {
	f.Add([]byte(head+"message M { string a = 1; }"), []byte(head+"message M { reserved 1; }"))
	f.Add([]byte("syntax = \"proto2\"; enum E { A = 1; }"), []byte("edition = \"2023\"; enum E { reserved 1; B = 0; }"))
	f.Add([]byte(head+"message M { map<string, M> m = 1; }"), []byte(head+"service S { rpc A(M) returns (M); }"))
	// One compiler for all inputs is faster than one for each.
	fsys := fstest.MapFS{}
	c := schema.New(schema.Options{Sources: []schema.Source{schema.FS("fuzz", fsys)}})
	compile := func(t *testing.T, text []byte) *schema.Snapshot {
		fsys["a.proto"] = &fstest.MapFile{Data: text}
		snap, err := c.Compile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if changes := breaking.Compare(snap, snap); len(changes) > 0 {
			t.Errorf("from the same to the same: %+v", changes)
		}
		return snap
	}
	f.Fuzz(func(t *testing.T, old, now []byte) {
		breaking.Compare(compile(t, old), compile(t, now))
	})
}
