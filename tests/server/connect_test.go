package server

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestOwnServicesOverConnect calls health and reflection over the protocols of the HTTP
// port, whose handler another http.Server has.
func TestOwnServicesOverConnect(t *testing.T) {
	s, err := dynserver.New(t.Context(), dynserver.Config{Sources: []dynserver.Source{dynserver.Path("../../protos")}, Lenient: true})
	rig.Must(t, err)
	defer func() { rig.Must(t, s.Shutdown(t.Context())) }()
	web := httptest.NewServer(s.HTTPHandler())
	defer web.Close()
	frame := func(m string) string {
		return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m)))) + m
	}
	for _, tt := range []struct{ path, content, body, want string }{
		{"/grpc.health.v1.Health/Check", "application/json", `{}`, `{"status":"SERVING"}`},
		{"/grpc.health.v1.Health/Check", "application/grpc-web+json", frame(`{}`), `{"status":"SERVING"}`},
		{"/grpc.health.v1.Health/Check", "application/grpc+json", frame(`{}`), `{"status":"SERVING"}`},
		{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/connect+json", frame(`{"listServices":""}`), `{"name":"grpc.health.v1.Health"}`},
		{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/grpc-web+json", frame(`{"listServices":""}`), `{"name":"grpc.health.v1.Health"}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+tt.path, strings.NewReader(tt.body))
		rig.Must(t, err)
		req.Header.Set("Content-Type", tt.content)
		req.Header.Set("Connect-Protocol-Version", "1")
		res, err := http.DefaultClient.Do(req)
		rig.Must(t, err)
		body, err := io.ReadAll(res.Body)
		rig.Must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s as %s: %s %q", tt.path, tt.content, res.Status, body)
		}
	}
}
