package openapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/schematest"
	"github.com/dyngate/dyngate/protos"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden compares the documents of schemas that have every feature.
func TestGolden(t *testing.T) {
	for name, s := range map[string]*schema.Snapshot{
		"library": compileTestdata(t, "library.proto", "old.proto"),
		"protos":  schematest.Compile(nil, schema.FS("protos", protos.FS)),
	} {
		t.Run(name, func(t *testing.T) {
			got := write(t, s, openapi.YAML, openapi.Options{Title: "Test", Version: "1.2.3", Description: "About it.", Servers: []string{"https://api.example.com"}})
			golden := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("the document differs (write it with -update):\n%s", diff)
			}
		})
	}
}

// TestFormats compares JSON and YAML, and two documents of the same schemas.
func TestFormats(t *testing.T) {
	s := compileTestdata(t, "library.proto", "old.proto")
	asJSON := write(t, s, openapi.JSON, openapi.Options{})
	var a, b any
	if err := json.Unmarshal(asJSON, &a); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(write(t, s, openapi.YAML, openapi.Options{}), &b); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(b) // of the same Go types as a
	if err != nil {
		t.Fatal(err)
	}
	b = nil
	if err := json.Unmarshal(again, &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("YAML differs from JSON:\n%s", diff)
	}
	if !bytes.Equal(asJSON, write(t, compileTestdata(t, "library.proto", "old.proto"), openapi.JSON, openapi.Options{})) {
		t.Error("the same schemas have two documents")
	}
}

// TestReferences checks that references lead to schemas, that all schemas are used, and
// that operations and parameters have unique names.
func TestReferences(t *testing.T) {
	for name, s := range map[string]*schema.Snapshot{
		"library":  compileTestdata(t, "library.proto", "old.proto"),
		"homonyms": schematest.Compile(homonyms),
	} {
		t.Run(name, func(t *testing.T) { checkReferences(t, write(t, s, openapi.JSON, openapi.Options{})) })
	}
}

// homonyms declare messages of the same name: of another shape, and of the same shape.
var homonyms = map[string]string{
	"a/common.proto": `syntax = "proto3"; package common; message M { string a = 1; M m = 2; Same same = 3; } message Same { Same same = 1; E e = 2; } enum E { Z = 0; }`,
	"b/common.proto": `syntax = "proto3"; package common; message M { string b = 1; M m = 2; Same same = 3; } message Same { Same same = 1; E e = 2; } enum E { Z = 0; }`,
	"a.proto":        `syntax = "proto3"; package a; import "a/common.proto"; service A { rpc Do(common.M) returns (common.M); }`,
	"b.proto":        `syntax = "proto3"; package b; import "b/common.proto"; service B { rpc Do(common.M) returns (common.M); }`,
}

// TestHomonyms describes types of the same name that different services import.
func TestHomonyms(t *testing.T) {
	schemas := parse(t, write(t, schematest.Compile(homonyms), openapi.JSON, openapi.Options{})).Components.Schemas
	for name, field := range map[string]string{"common.M": "a", "common.M-2": "b"} {
		properties, _ := schemas[name].(map[string]any)["properties"].(map[string]any)
		if properties[field] == nil {
			t.Errorf("%s has %v, want %s", name, properties, field)
			continue
		}
		if got := properties["m"].(map[string]any)["$ref"]; got != "#/components/schemas/"+name {
			t.Errorf("%s refers to %s", name, got)
		}
	}
	for _, name := range []string{"common.Same-2", "common.E-2"} {
		if schemas[name] != nil {
			t.Errorf("there is a schema %s, though its shape is that of another", name)
		}
	}
}

func TestProtoNames(t *testing.T) {
	s := schematest.Compile(map[string]string{"a.proto": `syntax = "proto3"; package a; import "google/api/annotations.proto";
		service A { rpc Do(M) returns (M) { option (google.api.http) = {get: "/a"}; } } message M { string some_name = 1; oneof o { int32 an_a = 2; int32 a_b = 3; } }`})
	content := string(write(t, s, openapi.JSON, openapi.Options{ProtoNames: true}))
	if !strings.Contains(content, `"name": "some_name"`) || !strings.Contains(content, `"an_a"`) || strings.Contains(content, "someName") || strings.Contains(content, "anA") {
		t.Errorf("the document has other names: %s", content)
	}
}

type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]any }
}

type operation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct{ Name, In string }
}

func parse(t *testing.T, content []byte) (d document) {
	t.Helper()
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func checkReferences(t *testing.T, content []byte) {
	t.Helper()
	d := parse(t, content)
	ids := make(map[string]bool)
	for path, item := range d.Paths {
		for key, raw := range item {
			ops := make([]operation, 1)
			var err error
			if key == "x-operations" {
				err = json.Unmarshal(raw, &ops)
			} else {
				err = json.Unmarshal(raw, &ops[0])
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range ops {
				if ids[op.OperationID] {
					t.Errorf("two operations are %s", op.OperationID)
				}
				ids[op.OperationID] = true
				params, inPath := make(map[string]bool), 0
				for _, p := range op.Parameters {
					if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") || params[p.In+p.Name] {
						t.Errorf("%s: parameter %s is wrong", op.OperationID, p.Name)
					}
					params[p.In+p.Name] = true
					if p.In == "path" {
						inPath++
					}
				}
				if strings.Count(path, "{") != inPath {
					t.Errorf("%s has parameters %v", path, params)
				}
			}
		}
	}
	var all any
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	collectRefs(all, used)
	for name := range d.Components.Schemas {
		if !used["#/components/schemas/"+name] {
			t.Errorf("no one refers to schema %s", name)
		}
	}
	for ref := range used {
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		if ok && d.Components.Schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
}

func collectRefs(v any, used map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, value := range v {
			if ref, ok := value.(string); ok && k == "$ref" {
				used[ref] = true
			}
			collectRefs(value, used)
		}
	case []any:
		for _, e := range v {
			collectRefs(e, used)
		}
	}
}

func compileTestdata(t *testing.T, names ...string) *schema.Snapshot {
	t.Helper()
	files := make(map[string]string)
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(content)
	}
	return schematest.Compile(files)
}

func write(t *testing.T, s *schema.Snapshot, format openapi.Format, opts openapi.Options) []byte {
	t.Helper()
	services, files := servicesOf(t, s)
	d, err := openapi.New(t.Context(), services, files, opts)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := d.Write(&out, format); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
