// Package protos embeds the .proto files that ship with dyngate: what
// `dyngate serve` serves when it is given no folder. Package handlers/examples
// answers them.
package protos

import "embed"

// FS is an import root that holds one folder for each service.
//
//go:embed */*.proto
var FS embed.FS
