package web

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// client returns a client of HTTP/1.1 or HTTP/2, with TLS for URLs with https.
func client(t testing.TB, version int, config *tls.Config) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: config}
	switch version {
	case 1:
		transport.Protocols.SetHTTP1(true)
	case 2:
		transport.Protocols.SetHTTP2(true)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// answer is what a server has answered.
type answer struct {
	*http.Response
	body string
}

// ask sends a request with a body and pairs of headers.
func ask(t testing.TB, c *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	a, err := try(t, c, method, url, body, headers...)
	rig.Must(t, err)
	return a
}

func try(t testing.TB, c *http.Client, method, url, body string, headers ...string) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(rig.Context(t), method, url, strings.NewReader(body))
	rig.Must(t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res, string(text)}, err
}

// wantAnswer fails the test unless an answer has this code and text.
func wantAnswer(t testing.TB, got answer, code int, text ...string) {
	t.Helper()
	if got.StatusCode != code {
		t.Errorf("%s %s, want %d", got.Status, got.body, code)
	}
	rig.WantText(t, got.body, text...)
}
