// Package webpb is the service of the benchmark over HTTP. Its generated code is for the servers
// that dyngate is compared with.
package webpb

import "embed"

// FS holds web.proto, which is all that dyngate is given besides benchpb.FS.
//
//go:embed web.proto
var FS embed.FS
