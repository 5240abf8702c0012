package breaking_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/internal/breaking"
)

// TestBufRandom compares the rules that random changes break with those that
// buf names.
func TestBufRandom(t *testing.T) {
	t.Parallel()
	const files = 500
	r := rand.New(rand.NewPCG(1, 2))
	old, now := t.TempDir(), t.TempDir()
	for i := range files {
		name := fmt.Sprintf("f%d.proto", i)
		write(t, filepath.Join(old, name), randomFile(r, i))
		write(t, filepath.Join(now, name), randomFile(r, i))
	}
	buf := askBuf(t, old, now)
	ours := make(map[string][]string)
	for _, c := range breaking.Compare(compile(t, old), compile(t, now)) {
		path := strings.TrimPrefix(c.New.Path, now+"/")
		ours[path] = append(ours[path], c.Rule)
	}
	for i := range files {
		name := fmt.Sprintf("f%d.proto", i)
		if diff := cmp.Diff(unique(ours[name]), unique(buf[name])); diff != "" {
			t.Errorf("%s and %s (-ours +buf):\n%s", filepath.Join(old, name), filepath.Join(now, name), diff)
		}
	}
}

// randomFile returns one of many versions of a file of package pI: what has a
// number or a name is declared in one of a few ways.
func randomFile(r *rand.Rand, i int) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	syntax := pick("proto2", "proto3")
	labels := []string{"", "optional ", "repeated "}
	if syntax == "proto2" {
		labels = []string{"optional ", "required ", "repeated "}
	}
	body := ""
	for n := 1; n <= 1+i%2; n++ { // few, for each file to break few rules
		typ := pick("int32", "uint32", "int64", "sint32", "fixed32", "sfixed32", "bool", "string", "bytes", "float", "double", "M", "N", "E", "N.E")
		name := fmt.Sprintf("%s%d", pick("f", "f", "g"), n)
		json := pick("", fmt.Sprintf(" [json_name = %q]", fmt.Sprintf("f%d", n)))
		switch r.IntN(8) {
		case 0:
			body += pick("", fmt.Sprintf("  reserved %d;\n", n), fmt.Sprintf("  reserved \"f%d\", \"g%d\";\n", n, n))
		case 1:
			body += fmt.Sprintf("  map<%s, %s> f%d = %d;\n", pick("int32", "uint32", "string"), typ, n, n)
		case 2:
			body += fmt.Sprintf("  oneof %s%d { %s %s = %d%s; }\n", pick("o", "p"), n, typ, name, n, json)
		case 3:
			if syntax == "proto2" {
				json = fmt.Sprintf(" [default = %s]", pick("0", "1", "2"))
				typ = pick("int32", "uint32", "int64", "float", "double")
			}
			body += fmt.Sprintf("  %s%s %s = %d%s;\n", pick(labels[:2]...), typ, name, n, json)
		default:
			body += fmt.Sprintf("  %s%s %s = %d%s;\n", pick(labels...), typ, name, n, json)
		}
	}
	enum := func() string {
		return fmt.Sprintf("enum E { %sZ = 0; %s %s %s %s }\n", pick("", "option deprecated = true; "), pick("A = 1;", "A = 1;", "B = 1;", "reserved 1;", `reserved "A";`),
			pick("", "C = 2;", "D = 2;"), pick("", "reserved 5 to 9;", "reserved 6, 8 to 9;", "reserved 3 to 20;"), pick("", `reserved "X", "Y";`, `reserved "Y";`))
	}
	reserved := pick("", "  reserved 10 to 20;\n", "  reserved 12, 14 to 20;\n", "  reserved 10 to max;\n") + pick("", "  reserved \"x\", \"y\";\n", "  reserved \"y\";\n")
	method := func(name string) string {
		return pick("", fmt.Sprintf("  rpc %s(%s%s) returns (%s%s) {%s}\n", name, pick("", "", "stream "), pick("M", "M", "N"),
			pick("", "", "stream "), pick("M", "M", "N"), pick("", "", " option idempotency_level = IDEMPOTENT; ")))
	}
	service := pick("", "service S {\n"+method("A")+method("B")+"}\n", "service S {\n"+method("A")+method("B")+"}\n")
	return fmt.Sprintf("syntax = %q;\npackage p%d;\nmessage M {\n%s%s}\nmessage N { %s}\n%s%s", syntax, i, body, reserved, enum(), enum(), service)
}
