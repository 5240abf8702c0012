package web

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

const rooms = `syntax = "proto3";
package hotel;
import "google/api/annotations.proto";
// Rooms are for guests.
service Rooms {
  rpc Get(Room) returns (Room) { option (google.api.http) = { get: "/v1/rooms/{id}" }; }
}
message Room { int32 id = 1; }
`

// TestPagesFollowReloads reads the document and the page while a file changes.
func TestPagesFollowReloads(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"rooms.proto": rooms})
	p := rig.Serve(t, "--http", "127.0.0.1:0", dir)
	c := client(t, 1, nil)
	first := ask(t, c, http.MethodGet, p.URL()+"/openapi.json", "")
	wantAnswer(t, first, 200, `"/v1/rooms/{id}"`, "Rooms are for guests.")
	wantAnswer(t, ask(t, c, http.MethodGet, p.URL()+"/", ""), 200, "hotel.Rooms", "/v1/rooms/{id}", "(no handler)")
	same := ask(t, c, http.MethodGet, p.URL()+"/openapi.json", "", "If-None-Match", first.Header.Get("ETag"))
	wantAnswer(t, same, http.StatusNotModified)

	rig.Replace(t, filepath.Join(dir, "rooms.proto"), strings.ReplaceAll(rooms, "/v1/rooms/", "/v1/suites/"))
	var changed answer
	if !rig.Poll(rig.Patience, func() bool {
		changed = ask(t, c, http.MethodGet, p.URL()+"/openapi.json", "", "If-None-Match", first.Header.Get("ETag"))
		return changed.StatusCode == http.StatusOK && strings.Contains(changed.body, "/v1/suites/{id}")
	}) {
		t.Errorf("got %d %s", changed.StatusCode, changed.body)
	}
	wantAnswer(t, ask(t, c, http.MethodGet, p.URL()+"/openapi.yaml", ""), 200, "/v1/suites/{id}")
}

// TestPagesOfOthers has a method at the path of a page, and a server without pages.
func TestPagesOfOthers(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"rooms.proto": strings.ReplaceAll(rooms, "/v1/rooms/{id}", "/openapi.json")})
	c := client(t, 1, nil)
	p := rig.Serve(t, "--http", "127.0.0.1:0", dir)
	wantAnswer(t, ask(t, c, http.MethodGet, p.URL()+"/openapi.json", ""), http.StatusNotImplemented, "no handler answers it")
	wantAnswer(t, ask(t, c, http.MethodGet, p.URL()+"/openapi.yaml", ""), 200, `"/openapi.json":`)
	p = rig.Serve(t, "--http", "127.0.0.1:0", "--no-pages", dir)
	for _, path := range []string{"/", "/openapi.yaml"} {
		wantAnswer(t, ask(t, c, http.MethodGet, p.URL()+path, ""), http.StatusNotFound)
	}
}
