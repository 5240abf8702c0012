// Package protos embeds the .proto files that ship with dyngate, and the HTTP paths of
// their services: what `dyngate serve` serves when it is given no folder. Package
// handlers/examples answers them.
package protos

import "embed"

// FS is an import root that holds one folder for each service.
//
//go:embed */*.proto *.http.yaml
var FS embed.FS
