package openapi_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
)

// TestGoogleapis describes the largest public set of schemas. tests/openapi validates
// the same document.
func TestGoogleapis(t *testing.T) {
	dir := os.Getenv("DYNGATE_GOOGLEAPIS")
	if dir == "" {
		t.Skip("DYNGATE_GOOGLEAPIS is not set to a checkout of googleapis")
	}
	s, err := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	services, files := servicesOf(t, s)
	d, err := openapi.New(t.Context(), services, files, openapi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := d.Write(&out, openapi.JSON); err != nil {
		t.Fatal(err)
	}
	checkReferences(t, out.Bytes())
	t.Logf("%d services, %d MB", len(services), out.Len()>>20)
}
