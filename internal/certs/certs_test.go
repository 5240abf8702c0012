package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write writes a certificate that is valid during these times, and its key.
func write(t *testing.T, files Files, from, to time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(files.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	must(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWarnings loads certificates that are, or will soon be, of no use.
func TestWarnings(t *testing.T) {
	for name, test := range map[string]struct {
		from, to time.Duration
		want     string
	}{
		"good":    {-time.Hour, time.Hour, ""},
		"new":     {0, time.Hour, ""},
		"soon":    {-100 * time.Hour, time.Hour, "the certificate expires soon"},
		"expired": {-2 * time.Hour, -time.Hour, "the certificate has expired"},
		"not yet": {time.Hour, 2 * time.Hour, "the certificate is not valid yet"},
	} {
		files := Files{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key")}
		write(t, files, test.from, test.to)
		var text strings.Builder
		_, err := Load(files, slog.New(slog.NewTextHandler(&text, nil)))
		must(t, err)
		if got := text.String(); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: logged %q, want %q", name, got, test.want)
		}
	}
}

// TestReload replaces one file, which breaks the pair, and then the other.
func TestReload(t *testing.T) {
	files := Files{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key")}
	write(t, files, 0, time.Hour)
	var text strings.Builder
	s, err := Load(files, slog.New(slog.NewTextHandler(&text, nil)))
	must(t, err)
	config := s.Config("h2")
	serial := func() []byte {
		t.Helper()
		c, err := config.GetConfigForClient(nil)
		must(t, err)
		if again, _ := config.GetConfigForClient(nil); again != c {
			t.Error("each handshake gets a configuration of its own")
		}
		return c.Certificates[0].Certificate[0]
	}
	first := string(serial())
	other := Files{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key")}
	write(t, other, 0, time.Hour)
	must(t, os.Rename(other.Cert, files.Cert))
	for range 3 {
		if s.Reload() == nil {
			t.Error("a pair is accepted that does not belong together")
		}
	}
	if n := strings.Count(text.String(), "cannot be used"); n != 1 || string(serial()) != first {
		t.Errorf("%d reports: %s", n, text.String())
	}
	must(t, os.Rename(other.Key, files.Key))
	must(t, s.Reload())
	must(t, s.Reload())
	if n := strings.Count(text.String(), "certificates replaced"); n != 1 || string(serial()) == first {
		t.Errorf("%d reports: %s", n, text.String())
	}
}
