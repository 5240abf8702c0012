package httpconn

import (
	"context"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ownHeaders belong to HTTP and to the protocols. Metadata of these names is not
// sent, as in grpc-go.
var ownHeaders = map[string]bool{
	"accept-encoding": true, "connection": true, "content-encoding": true, "content-length": true, "content-type": true,
	"host": true, "keep-alive": true, "proxy-connection": true, "te": true, "trailer": true, "transfer-encoding": true,
	"upgrade": true, "user-agent": true,
	"connect-accept-encoding": true, "connect-content-encoding": true, "connect-protocol-version": true, "connect-timeout-ms": true,
	"grpc-accept-encoding": true, "grpc-encoding": true, "grpc-message": true, "grpc-message-type": true, "grpc-status": true,
	"grpc-status-details-bin": true, "grpc-timeout": true,
}

// writeMetadata adds metadata to a header.
func writeMetadata(h http.Header, md metadata.MD) error {
	for name, values := range md {
		name = strings.ToLower(name)
		if ownHeaders[name] || strings.HasPrefix(name, ":") {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return status.Errorf(codes.Internal, "metadata cannot be sent: %q is not a valid name", name)
		}
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = connect.EncodeBinaryHeader([]byte(value))
			}
			if !httpguts.ValidHeaderFieldValue(value) {
				return status.Errorf(codes.Internal, "metadata cannot be sent: the value of %q has characters that a header cannot have", name)
			}
			h.Add(name, value)
		}
	}
	return nil
}

// readMetadata returns a header as metadata, without the status. A binary value that
// is not base64 remains as it is.
func readMetadata(h http.Header) metadata.MD {
	md := make(metadata.MD, len(h))
	for name, values := range h {
		name = strings.ToLower(name)
		switch name {
		case "grpc-status", "grpc-message", "grpc-status-details-bin":
			continue
		}
		for _, value := range values {
			if !strings.HasSuffix(name, "-bin") {
				md[name] = append(md[name], value)
				continue
			}
			for part := range strings.SplitSeq(value, ",") { // proxies may join values
				part = strings.TrimSpace(part)
				if decoded, err := connect.DecodeBinaryHeader(part); err == nil {
					part = string(decoded)
				}
				md[name] = append(md[name], part)
			}
		}
	}
	return md
}

// credentials returns the metadata of credentials for a method.
func (c *Conn) credentials(ctx context.Context, creds credentials.PerRPCCredentials, method string) (metadata.MD, error) {
	if creds.RequireTransportSecurity() && !strings.HasPrefix(c.target, "https:") {
		return nil, status.Errorf(codes.Unauthenticated, "the credentials require TLS, which %s does not use", c.target)
	}
	md, err := creds.GetRequestMetadata(ctx, c.target+method[:strings.LastIndexByte(method, '/')])
	if err != nil {
		if _, ok := status.FromError(err); ok {
			return nil, err
		}
		return nil, status.Errorf(codes.Unauthenticated, "no credentials for the call: %v", err)
	}
	return metadata.New(md), nil
}
