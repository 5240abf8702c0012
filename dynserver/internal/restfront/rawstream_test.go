package restfront

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
)

func TestRawStreams(t *testing.T) {
	download := raw(func(_ context.Context, call handlers.Call) error {
		data, err := call.Recv()
		if err != nil {
			return err
		}
		for _, chunk := range []string{"one ", "two"} {
			if err := call.Send(httpcall.Message(new(rawBody).append(nil, "text/x", []byte(chunk)), pool)); err != nil {
				return err
			}
		}
		if strings.Contains(string(data.Materialize()), "broken") {
			return status.Error(codes.DataLoss, "broken")
		}
		return nil
	})
	var chunks []string
	put := raw(func(_ context.Context, call handlers.Call) error {
		chunks = nil
		var last []byte
		for {
			data, err := call.Recv()
			if err == io.EOF {
				return call.Send(httpcall.Message(last, pool))
			}
			if err != nil {
				return err
			}
			last = data.Materialize()
			kind, content, _ := (&rawBody{field: 2}).split(last)
			chunks = append(chunks, kind+":"+string(content))
		}
	})
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Download": download, "Put": put})
	both(t, f, func(t *testing.T, c *http.Client, url string) {
		resp, body := do(t, c, "GET", url+"/v1/files/a", "")
		if resp.code != 200 || body != "one two" || resp.header.Get("Content-Type") != "text/x" {
			t.Errorf("%d %s %s", resp.code, body, resp.header)
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/files/broken", nil)
		broken, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(broken.Body); string(body) != "one two" || err == nil {
			t.Errorf("%s: the caller does not notice that the data is not complete", body)
		}
		_ = broken.Body.Close()
		large := strings.Repeat("x", 3*chunkBytes)
		resp, body = do(t, c, "PUT", url+"/v1/files/a?title=t", large, "Content-Type", "text/y")
		joined := strings.ReplaceAll(strings.Join(chunks, ""), "text/y:", "")
		if resp.code != 200 || joined != large || !strings.Contains(body, `"name":"a"`) || !strings.Contains(body, `"title":"t"`) {
			t.Errorf("%d %.200s, %d chunks", resp.code, body, len(chunks))
		}
		if resp, body = do(t, c, "PUT", url+"/v1/files/a", ""); resp.code != 200 || len(chunks) != 1 {
			t.Errorf("%d %.200s, %q", resp.code, body, chunks)
		}
		form := "--X\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nT\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\nContent-Type: text/z\r\n\r\nfile\r\n--X--\r\n"
		resp, body = do(t, c, "PUT", url+"/v1/files/a", form, "Content-Type", "multipart/form-data; boundary=X")
		if resp.code != 200 || len(chunks) != 1 || chunks[0] != "text/z:file" || !strings.Contains(body, `"title":"T"`) {
			t.Errorf("%d %.200s, %q", resp.code, body, chunks)
		}
	})
}
