package discovery

import (
	"log/slog"
	"testing"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schema"
)

// TestOwnServicesAreFound checks that the index finds the files and messages of the
// server's own services, whatever they are, and of no other service of the program.
func TestOwnServicesAreFound(t *testing.T) {
	snap, err := schema.New(schema.Options{}).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, registered := range []bool{true, false} {
		own := handlers.NewRegistry()
		if registered {
			testpb.RegisterTestServiceServer(own, testpb.UnimplementedTestServiceServer{})
		}
		builder := dispatch.Builder{Log: slog.New(slog.DiscardHandler), Own: own.All()}
		g, diags := builder.Build(nil, dispatch.Input{Snapshot: snap})
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		x := newIndex(g)
		if _, err := x.file("grpc/testing/test.proto"); (err == nil) != registered {
			t.Errorf("registered: %t, the file: %v", registered, err)
		}
		if _, err := x.find("grpc.testing.TestService.UnaryCall"); (err == nil) != registered {
			t.Errorf("registered: %t, the method: %v", registered, err)
		}
		if _, err := x.file("grpc/testing/messages.proto"); (err == nil) != registered {
			t.Errorf("registered: %t, an imported file: %v", registered, err)
		}
	}
}
