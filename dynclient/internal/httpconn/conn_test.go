package httpconn_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/dynclient/internal/httpconn"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"http://localhost:80/":     "http://localhost:80",
		"HTTPS://example.com":      "https://example.com",
		"http://[::1]:80/a/b/":     "http://[::1]:80/a/b",
		"http://":                  "",
		"http://:80":               "",
		"http:localhost":           "",
		"ftp://localhost":          "",
		"localhost:80":             "",
		"http://u:s3cret@host":     "",
		"http://host/?a=b":         "",
		"http://host/?":            "",
		"http://host/#a":           "",
		"http://host\x00":          "",
		"http://host:port":         "",
		"http://u:s3cret@host:bad": "",
	} {
		conn, err := httpconn.New(target, httpconn.Options{})
		if (err == nil) != (want != "") {
			t.Errorf("%q: %v, want %q", target, err, want)
		}
		if err != nil {
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q: %v: the error has the password", target, err)
			}
			continue
		}
		if conn.Target() != want {
			t.Errorf("%q: %q, want %q", target, conn.Target(), want)
		}
		_ = conn.Close()
	}
	if _, err := httpconn.New("http://localhost", httpconn.Options{TLS: new(tls.Config)}); err == nil {
		t.Error("TLS over http:// is accepted")
	}
	if _, err := httpconn.New("http://localhost", httpconn.Options{Protocol: "soap"}); err == nil {
		t.Error("any protocol is accepted")
	}
}
