package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"google.golang.org/grpc/metadata"
)

// parseHeaders reads the -H flags. A header may come more than once.
func parseHeaders(headers []string) (metadata.MD, error) {
	md := metadata.MD{}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		value = strings.TrimSpace(value)
		switch {
		case !ok:
			return nil, fmt.Errorf("-H %q: write NAME: VALUE", name)
		case !validName(name):
			return nil, fmt.Errorf("-H: %q is not a name of metadata: letters, digits, _, - and . only", name)
		case strings.HasPrefix(name, "grpc-"):
			return nil, fmt.Errorf("-H: %q: names that begin with grpc- are gRPC's own", name)
		}
		if strings.HasSuffix(name, "-bin") {
			raw, err := decodeBase64(value)
			if err != nil {
				return nil, fmt.Errorf("-H %s: the value must be base64: %w", name, err)
			}
			value = string(raw)
		} else if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			return nil, fmt.Errorf("-H %s: the value must be printable ASCII; other bytes need a name that ends in -bin", name)
		}
		md.Append(name, value)
	}
	return md, nil
}

func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r)
	})
}

// decodeBase64 takes the standard and the URL alphabet, padded or not.
func decodeBase64(s string) ([]byte, error) {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.DecodeString(s)
}
