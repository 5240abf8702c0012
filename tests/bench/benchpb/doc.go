// Package benchpb is the one place of the project with generated code: what
// dyngate is measured against. Nothing but the benchmark imports it.
package benchpb

import "embed"

// FS holds bench.proto, which is all that dyngate is given.
//
//go:embed bench.proto
var FS embed.FS
