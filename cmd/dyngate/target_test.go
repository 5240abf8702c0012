package main

import (
	"strings"
	"testing"
)

func TestNormalTarget(t *testing.T) {
	for target, want := range map[string]string{
		"localhost:50051":             "localhost:50051",
		"api.example.com:443":         "api.example.com:443",
		"[::1]:50051":                 "[::1]:50051",
		"50051":                       "127.0.0.1:50051",
		":50051":                      "127.0.0.1:50051",
		"unix:rel/path":               "unix:rel/path",
		"unix:///abs":                 "unix:///abs",
		"unix-abstract:x":             "unix-abstract:x",
		"dns:host:443":                "dns:host:443",
		"dns:///host:443":             "dns:///host:443",
		"DNS:///host:443":             "DNS:///host:443",
		"dns://8.8.8.8/host:443":      "dns://8.8.8.8/host:443",
		"passthrough:///x":            "passthrough:///x",
		"xds:///x":                    "xds:///x",
		"ipv4:127.0.0.1:50051":        "ipv4:127.0.0.1:50051",
		"ipv6:[::1]:50051":            "ipv6:[::1]:50051",
		"vsock:3:50051":               "vsock:3:50051",
		"":                            "",
		"0":                           "",
		"65536":                       "",
		":0":                          "",
		":65536":                      "",
		"localhost":                   "",
		"localhost:":                  "",
		"localhost:grpc":              "",
		"localhost:65536":             "",
		"localhost:50051/pkg.Service": "",
		"::1":                         "",
		"::1:50777":                   "",
		"[::1]":                       "",
		"http://localhost:50777":      "http://localhost:50777",
		"https://example.com/prefix":  "https://example.com/prefix",
		"http:/localhost:50777":       "",
		"grpc://localhost:50777":      "",
		"/run/dyngate.sock":           "",
		"unix:":                       "",
		"tutorial.Greeter/SayHello":   "",
	} {
		got, err := normalTarget(target)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", target, got, err, want)
		}
		if err == nil {
			continue
		}
		for _, way := range []string{"HOST:PORT", "[::1]:50051", "unix:PATH", "dns:///", "http://"} {
			if !strings.Contains(err.Error(), way) {
				t.Errorf("%q: %v, which does not mention %s", target, err, way)
			}
		}
	}
}
