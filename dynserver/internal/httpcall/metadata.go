package httpcall

import (
	"encoding/base64"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Metadata returns the headers of a request as metadata: names in lower case, values
// of -bin names decoded. It leaves out what is for the connection or the protocol, and
// adds :authority. The error has a status.
func Metadata(r *http.Request) (metadata.MD, error) {
	md := make(metadata.MD, len(r.Header)+1)
	for name, values := range r.Header {
		key := strings.ToLower(name)
		if Reserved(key) {
			continue
		}
		values, err := Decode(key, values)
		if err != nil {
			return nil, err
		}
		md[key] = append(md[key], values...)
	}
	if r.Host != "" {
		md[":authority"] = []string{r.Host}
	}
	return md, nil
}

// Check finds values of -bin names that cannot be decoded, without the cost of Metadata.
func Check(h http.Header) error {
	for name, values := range h {
		if !isBinary(name) {
			continue
		}
		if _, err := Decode(name, values); err != nil {
			return err
		}
	}
	return nil
}

// Decode returns the values of a header as metadata: as they are, or decoded if the
// name ends in -bin. Such a value may be several, with commas between them. The error
// has a status.
func Decode(name string, values []string) ([]string, error) {
	if !isBinary(name) {
		return values, nil
	}
	decoded := make([]string, 0, len(values))
	for _, list := range values {
		for value := range strings.SplitSeq(list, ",") {
			raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(value), "="))
			if err != nil {
				return nil, status.Errorf(codes.InvalidArgument, "header %s: the value is not base64", strings.ToLower(name))
			}
			decoded = append(decoded, string(raw))
		}
	}
	return decoded, nil
}

// Encode is the inverse of Decode. It does not change its argument.
func Encode(name string, values []string) []string {
	if !isBinary(name) {
		return values
	}
	encoded := make([]string, len(values))
	for i, value := range values {
		encoded[i] = base64.RawStdEncoding.EncodeToString([]byte(value))
	}
	return encoded
}

// Add adds metadata to the headers or trailers of a response, without content-type and
// the reserved names.
func Add(h http.Header, md metadata.MD) {
	for key, values := range md {
		if lower := strings.ToLower(key); lower == "content-type" || Reserved(lower) {
			continue
		}
		name := http.CanonicalHeaderKey(key)
		h[name] = append(h[name], Encode(key, values)...)
	}
}

// Valid checks that metadata can be sent as headers, by the rules of gRPC. The error
// has a status.
func Valid(md metadata.MD) error {
	for key, values := range md {
		if !validName(key) {
			return status.Errorf(codes.Internal, "metadata key %q has characters other than letters, digits, '-', '_' and '.'", key)
		}
		if isBinary(key) {
			continue
		}
		for _, value := range values {
			if !printable(value) {
				return status.Errorf(codes.Internal, "metadata %s: the value has bytes that are not printable ASCII, so the key must end in -bin", key)
			}
		}
	}
	return nil
}

func validName(key string) bool {
	for _, c := range []byte(key) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return key != ""
}

func printable(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func isBinary(name string) bool {
	const suffix = "-bin"
	return len(name) >= len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
}

// Reserved reports whether a header, its name in lower case, belongs to the
// connection or to a protocol. Such a header is never metadata.
func Reserved(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		"content-length", "content-encoding", "accept-encoding", "host", "date",
		"proxy-authorization", "proxy-authenticate", "http2-settings":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "grpc-"); ok {
		return reservedGRPC[rest]
	}
	return strings.HasPrefix(name, "connect-") || strings.HasPrefix(name, "trailer-")
}

// reservedGRPC are the names of gRPC, without grpc-. Others that begin so, such as
// grpc-tags-bin and grpc-trace-bin, are metadata.
var reservedGRPC = map[string]bool{
	"timeout": true, "encoding": true, "accept-encoding": true, "message-type": true,
	"status": true, "message": true, "status-details-bin": true,
}
