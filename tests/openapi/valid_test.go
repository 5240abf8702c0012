package openapi

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// dyngate runs a command of dyngate and returns what it prints. Errors in the schemas
// may only be reported.
func dyngate(t *testing.T, args ...string) []byte {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "dyngate")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/dyngate")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return out.Bytes()
}

// TestDocuments validates documents in both formats.
func TestDocuments(t *testing.T) {
	for name, path := range map[string]string{"library": "../../internal/openapi/testdata", "protos": "../../protos"} {
		for _, format := range []string{"json", "yaml"} {
			t.Run(name+" "+format, func(t *testing.T) {
				doc, err := libopenapi.NewDocument(dyngate(t, "openapi", "--format", format, "--server", "https://api.example.com", path))
				if err != nil {
					t.Fatal(err)
				}
				v, errs := validator.NewValidator(doc)
				for _, err := range errs {
					t.Fatal(err)
				}
				valid, problems := v.ValidateDocument()
				for _, p := range problems {
					t.Errorf("%s: %s %v", p.Message, p.Reason, p.SchemaValidationErrors)
				}
				if !valid {
					t.Error("the document is not valid")
				}
			})
		}
	}
}

// TestGoogleapis validates the document of the largest public set of schemas. It uses the
// schema of OpenAPI alone, because the validator takes minutes to index the document.
func TestGoogleapis(t *testing.T) {
	dir := os.Getenv("DYNGATE_GOOGLEAPIS")
	if dir == "" {
		t.Skip("DYNGATE_GOOGLEAPIS is not set to a checkout of googleapis")
	}
	content := dyngate(t, "openapi", "--lenient", dir)
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(datamodel.OpenAPI31SchemaData)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi", schema); err != nil {
		t.Fatal(err)
	}
	openapi, err := compiler.Compile("openapi")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if err := openapi.Validate(doc); err != nil {
		t.Error(err)
	}
	paths := doc.(map[string]any)["paths"].(map[string]any)
	t.Logf("%d paths, %d MB", len(paths), len(content)>>20)
}
