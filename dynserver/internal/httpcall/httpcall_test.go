package httpcall

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestPeer(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local), "POST", "/", nil)
	r.TLS = &tls.ConnectionState{ServerName: "here"}
	for in, want := range map[string]string{"192.0.2.1:1234": "tcp 192.0.2.1:1234", "[::1]:80": "tcp [::1]:80", "@": "unix @", "": "unix "} {
		r.RemoteAddr = in
		p := Peer(r, "connect")
		if got := p.Addr.Network() + " " + p.Addr.String(); got != want {
			t.Errorf("address %q is %q, want %q", in, got, want)
		}
		if p.Protocol != "connect" || p.LocalAddr != local || p.TLS.ServerName != "here" {
			t.Errorf("peer %+v", p)
		}
	}
}

func TestMetadata(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://example.com/", nil)
	r.Header = http.Header{
		"X-Name": {"a", "b, c"}, "User-Agent": {"test"}, "Content-Type": {"application/json"},
		"X-Bin": {"AQI=, Aw", "BA=="}, "Grpc-Tags-Bin": {"AQ"},
		"Connection": {"close"}, "Te": {"trailers"}, "Grpc-Timeout": {"1S"}, "Connect-Protocol-Version": {"1"},
	}
	got, err := Metadata(r)
	if err != nil {
		t.Fatal(err)
	}
	want := metadata.MD{
		"x-name": {"a", "b, c"}, "user-agent": {"test"}, "content-type": {"application/json"},
		"x-bin": {"\x01\x02", "\x03", "\x04"}, "grpc-tags-bin": {"\x01"}, ":authority": {"example.com"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := Check(r.Header); err != nil {
		t.Error(err)
	}
	r.Header["X-Bin"] = []string{"no base64!"}
	if _, err := Metadata(r); status.Code(err) != codes.InvalidArgument {
		t.Errorf("error %v", err)
	}
	if err := Check(r.Header); status.Code(err) != codes.InvalidArgument {
		t.Errorf("error %v", err)
	}
}

func TestAdd(t *testing.T) {
	h := http.Header{"X-Name": {"a"}}
	Add(h, metadata.Pairs("x-name", "b", "x-bin", "\x01\xff", "content-type", "text/html", "grpc-status", "0", "transfer-encoding", "x"))
	if diff := cmp.Diff(http.Header{"X-Name": {"a", "b"}, "X-Bin": {"Af8"}}, h); diff != "" {
		t.Error(diff)
	}
}

func TestValid(t *testing.T) {
	for _, md := range []metadata.MD{{"": {"a"}}, {"a b": {"a"}}, {"a:": {"a"}}, {"a": {"a\n"}}, {"a": {"ä"}}} {
		if err := Valid(md); status.Code(err) != codes.Internal {
			t.Errorf("%v: error %v", md, err)
		}
	}
	if err := Valid(metadata.MD{"a-B_1.c": {"x", "~ "}, "a-bin": {"\x00\xff"}}); err != nil {
		t.Error(err)
	}
}

func TestTimeout(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1H": time.Hour, "2M": 2 * time.Minute, "3S": 3 * time.Second, "4m": 4 * time.Millisecond, "5u": 5 * time.Microsecond,
		"99999999n": 99999999, "0S": 0, "99999999H": math.MaxInt64,
		"": -1, "S": -1, "1": -1, "1s": -1, "-1S": -1, "+1S": -1, "1.5S": -1, "100000000S": -1, "1 S": -1,
	} {
		got, err := Timeout(in)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %v (%v), want %v", in, got, err, want)
		}
	}
}
