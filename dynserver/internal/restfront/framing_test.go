package restfront

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// TestQuietEvents has the header and comments before the first message.
func TestQuietEvents(t *testing.T) {
	for end, want := range map[error]string{
		nil:                                    "event: end",
		status.Error(codes.Aborted, "no more"): "event: error",
	} {
		release := make(chan struct{})
		server := httptest.NewServer(newTest(t, Options{KeepAlive: 5 * time.Millisecond}, map[string]handlers.Implementation{
			"Many": raw(func(_ context.Context, call handlers.Call) error {
				_ = call.SetHeader(metadata.Pairs("sse-retry", "250"))
				<-release
				return end
			}),
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/many/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "text/event-stream")
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("got %s, %v", response.Status, response.Header)
		}
		var lines []string
		body := bufio.NewScanner(response.Body)
		for body.Scan() {
			lines = append(lines, body.Text())
			if len(lines) == 4 {
				close(release)
			}
		}
		if err := body.Err(); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(lines, "\n"); !strings.HasPrefix(text, "retry: 250\n\n:\n\n") || !strings.Contains(text, want) {
			t.Errorf("got %q", text)
		}
		response.Body.Close()
		cancel()
		server.Close()
	}
}

// TestWrongDocument says which document of a stream is wrong.
func TestWrongDocument(t *testing.T) {
	for body, want := range map[string]string{
		"{}\n{}\n {\"number\":\"x\"}": "document 3, which begins at line 3:2: number: expected int32, got the string \"x\"",
		"[{},\n{x}]":                  "document 2, which begins at line 2:1: syntax error (line 1:2): ",
		"[{},\n{}":                    "the request body: line 2:3: the input ends inside the array",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v1/chat", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		newTest(t, Options{}, map[string]handlers.Implementation{
			"Chat": raw(func(_ context.Context, call handlers.Call) error {
				for {
					if _, err := call.Recv(); err != nil {
						return err
					}
				}
			}),
		}).ServeHTTP(w, r)
		var got struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusBadRequest || !strings.HasPrefix(got.Message, want) {
			t.Errorf("%q: got %d, %s", body, w.Code, w.Body)
		}
	}
}
