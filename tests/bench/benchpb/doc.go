// Package benchpb is, with webpb and the module in the folder peers, the only generated
// code of the project: what dyngate is measured against. Nothing but benchmarks and
// tests imports it.
package benchpb

import "embed"

// FS holds bench.proto, which is all that dyngate is given.
//
//go:embed bench.proto
var FS embed.FS
