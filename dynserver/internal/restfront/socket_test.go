package restfront

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/handlers"
)

func TestWebSocket(t *testing.T) {
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Many": count, "Collect": collect})
	url := start(t, f)
	for _, test := range []struct {
		path  string
		send  []string
		want  []string
		close websocket.StatusCode
	}{
		{"/v1/room/n", []string{`{"number":1}`, `{"inner":{"count":2}}`, ""}, []string{`{"number":1,"inner":{"name":"n"}}`, `{"inner":{"name":"n","count":2}}`}, 1000},
		{"/v1/many/2", nil, []string{`{"text":"n"}`, `{"text":"n","number":1}`}, 1000},
		{"/v1/many/3", nil, []string{`{"text":"n"}`, `{"text":"n","number":1}`, `{"error":{"code":11,"message":"too many"}}`}, 4011},
		{"/v1/collect/n", []string{`{"text":"a"}`, `{"text":"b"}`, ""}, []string{`{"text":"ab","number":2}`}, 1000},
		{"/v1/whole/x", []string{`{"number":1}`}, []string{`{"text":"x","number":1}`}, 1000},
		{"/test.Svc/Echo", []string{`{"number":1}`}, []string{`{"number":1}`}, 1000},
		{"/test.Svc/Echo", []string{`{"number":"x"}`}, []string{`{"error":` + bad(`"the request body: number: expected int32, got the string \"x\""`, `"/number"`, `"expected int32, got the string \"x\""`) + "}"}, 4003},
		{"/test.Svc/Fail", []string{`{}`}, []string{`{"error":{"code":12,"message":"method test.Svc/Fail is in the schema, but no handler answers it"}}`}, 4012},
	} {
		conn, resp, err := websocket.Dial(t.Context(), url+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		for _, doc := range test.send {
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(doc)); err != nil {
				t.Error(err)
			}
		}
		for _, want := range test.want {
			_, got, err := conn.Read(t.Context())
			if string(got) != want || err != nil {
				t.Errorf("%s: %s %v, want %s", test.path, got, err, want)
			}
		}
		if _, got, err := conn.Read(t.Context()); websocket.CloseStatus(err) != test.close {
			t.Errorf("%s: %s %v, want close status %d", test.path, got, err, test.close)
		}
		_ = conn.CloseNow()
	}
	for _, test := range []struct {
		path   string
		header http.Header
		status int
		code   codes.Code
	}{
		{"/v1/nothing", nil, http.StatusNotFound, codes.NotFound},
		{"/v1/many/2", http.Header{"Origin": {"https://other.example"}}, http.StatusForbidden, codes.PermissionDenied},
		{"/v1/many/2", http.Header{"Sec-WebSocket-Protocol": {"other"}}, http.StatusBadRequest, codes.InvalidArgument},
	} {
		_, resp, err := websocket.Dial(t.Context(), url+test.path, &websocket.DialOptions{HTTPHeader: test.header})
		if err == nil || resp == nil {
			t.Errorf("%s: %v", test.path, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body) // the library keeps its beginning
		_ = resp.Body.Close()
		if resp.StatusCode != test.status || !strings.HasPrefix(string(body), fmt.Sprintf(`{"code":%d,`, test.code)) {
			t.Errorf("%s %v: %s %s", test.path, test.header, resp.Status, body)
		}
	}
}
