package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	grpcreflection "google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// generatedServer serves grpc's own health service, from generated code, with
// reflection.
func generatedServer(t *testing.T, opts ...grpc.ServerOption) string {
	t.Helper()
	return rig.LocalGRPC(t, func(srv *grpc.Server) {
		healthpb.RegisterHealthServer(srv, health.NewServer())
		grpcreflection.Register(srv)
	}, opts...)
}

// refusing refuses every call except those of reflection.
func refusing(err error) grpc.ServerOption {
	return grpc.UnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) { return nil, err })
}

func TestCallShowsErrorDetails(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.NotFound, "no such \x1b[31mthing\nOK (0)\r\n").WithDetails(&errdetails.ErrorInfo{Reason: "GONE", Domain: "shop\x1b[31m"})
	rig.Must(t, err)
	addr := generatedServer(t, refusing(st.Err()))
	r := rig.Run(t, "call", addr, "Check")
	const want = "NOT_FOUND (5): no such \uFFFD[31mthing\n  OK (0)\n  \n  grpc.health.v1.Health/Check at ADDR\n" +
		"  google.rpc.ErrorInfo\n    {\n      \"reason\": \"GONE\",\n      \"domain\": \"shop\\u001b[31m\"\n    }\n"
	if got := strings.ReplaceAll(r.Stderr, addr, "ADDR"); r.Stdout != "" || got != want || r.Status != 64+5 {
		t.Errorf("status %d, output %q, and\n%s, want\n%s", r.Status, r.Stdout, got, want)
	}
}

func TestColours(t *testing.T) {
	t.Parallel()
	command := "dyngate call " + generatedServer(t, refusing(status.Error(codes.NotFound, "gone"))) + " Check"
	if out := onTerminal(t, command); !strings.Contains(out, "\x1b[1;31mNOT_FOUND (5):\x1b[0m gone") {
		t.Errorf("on a terminal: %q", out)
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if out := onTerminal(t, command, env); !strings.Contains(out, "NOT_FOUND (5): gone") || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %q", env, out)
		}
	}
}

func TestVerboseHidesSecretsOfTheServer(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t, grpc.UnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		rig.Must(t, grpc.SetHeader(ctx, metadata.Pairs("set-cookie", "s3cret", "a", "b")))
		rig.Must(t, grpc.SetTrailer(ctx, metadata.Pairs("next-token-bin", "s3cret", "c", "d")))
		return handler(ctx, in)
	}))
	r := rig.Run(t, "call", addr, "Check", "-v")
	rig.WantText(t, r.Stderr, "< set-cookie: (6 bytes, not shown)", "< a: b", "< trailer next-token-bin: (6 bytes, not shown)", "< trailer c: d")
	if r.Status != 0 {
		t.Errorf("status %d", r.Status)
	}
}

func TestCallOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, file := certificate(t, dir), func(name string) string { return filepath.Join(dir, name) }
	addr := generatedServer(t, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{ca}, ClientAuth: tls.RequireAnyClientCert,
	})))
	mine := []string{"--cert", file("cert.pem"), "--key", file("key.pem")}
	for name, tt := range map[string]struct {
		flags []string
		exit  int
		log   string
	}{
		"right":             {append([]string{"--ca", file("cert.pem"), "--server-name", "example.com"}, mine...), 0, ""},
		"by authority":      {append([]string{"--ca", file("cert.pem"), "--authority", "example.com"}, mine...), 0, ""},
		"any certificate":   {append([]string{"--insecure-skip-verify"}, mine...), 0, ""},
		"plaintext":         {nil, 64 + 14, "try --tls"},
		"unknown authority": {append([]string{"--server-name", "example.com"}, mine...), 64 + 14, "--ca FILE"},
		"another name":      {append([]string{"--ca", file("cert.pem")}, mine...), 64 + 14, "--server-name NAME"},
		"no certificate":    {[]string{"--insecure-skip-verify"}, 64 + 14, "UNAVAILABLE"},
		"no PEM":            {[]string{"--ca", file("key.pem")}, 2, "no PEM certificate"},
	} {
		r := rig.Run(t, append([]string{"call", addr, "grpc.health.v1.Health/Check"}, tt.flags...)...)
		if r.Status != tt.exit || !strings.Contains(r.Stderr, tt.log) || (r.Status == 0) != strings.Contains(r.Stdout, "SERVING") {
			t.Errorf("%s: status %d\n%s%s", name, r.Status, r.Stdout, r.Stderr)
		}
	}
}

// certificate makes a certificate for example.com signed by itself, and writes
// it to cert.pem and key.pem.
func certificate(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rig.Must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}, DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	rig.Must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	rig.Must(t, err)
	rig.Write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	rig.Write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	rig.Must(t, err)
	return pair
}

func TestCallWithDescriptors(t *testing.T) {
	t.Parallel()
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(healthpb.File_grpc_health_v1_health_proto),
	}})
	rig.Must(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "health.binpb")
	rig.Write(t, file, string(set))
	addr := generatedServer(t)
	r := rig.Run(t, "call", addr, "Check", "--descriptors", file, "-v", "-o", "ndjson")
	if r.Stdout != "{\"status\":\"SERVING\"}\n" || r.Status != 0 || !strings.Contains(r.Stderr, "schema from "+file+"!grpc/health/v1/health.proto") {
		t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
	}
	r = rig.Run(t, "list", "--descriptors", file, "Health")
	if !strings.Contains(r.Stdout, "grpc.health.v1.Health/Watch\n") || r.Status != 0 {
		t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
	}
	rig.Write(t, file, "no set")
	r = rig.Run(t, "list", "--descriptors", file)
	if !strings.Contains(r.Stderr, "descriptor set") || r.Status == 0 {
		t.Errorf("status %d\n%s", r.Status, r.Stderr)
	}
}
