package rig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority signs certificates for tests.
type Authority struct {
	PEM  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := new(Authority)
	template := certificate(name)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	var der []byte
	a.key, der = sign(t, template, template, nil)
	var err error
	a.cert, err = x509.ParseCertificate(der)
	Must(t, err)
	a.PEM = encode("CERTIFICATE", der)
	return a
}

// Issue returns a certificate for 127.0.0.1 and localhost, for servers and clients, and
// its key.
func (a *Authority) Issue(t testing.TB, name string) (certPEM, keyPEM string) {
	t.Helper()
	template := certificate(name)
	template.DNSNames, template.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	key, der := sign(t, template, a.cert, a.key)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	Must(t, err)
	return encode("CERTIFICATE", der), encode("PRIVATE KEY", keyDER)
}

// Client returns the configuration of a client that trusts the authority. It has a
// certificate of its own if signed by one.
func (a *Authority) Client(t testing.TB, signer *Authority) *tls.Config {
	t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(a.cert)
	if signer != nil {
		cert, key := signer.Issue(t, "client")
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		Must(t, err)
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

// sign makes a key and signs its certificate, by itself if there is no parent key.
func sign(t testing.TB, template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Must(t, err)
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	Must(t, err)
	return key, der
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
