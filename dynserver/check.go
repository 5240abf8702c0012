package dynserver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/breaking"
	"github.com/dyngate/dyngate/internal/schema"
)

// BreakingChange is a change of the schemas that breaks clients built against the old
// version, with the positions of both versions.
type BreakingChange = breaking.Change

// CheckResult is the result of [Check].
type CheckResult struct {
	// Diagnostics are all errors, warnings and hints, in this order.
	Diagnostics []*diag.Diagnostic

	// Changes are the breaking changes, sorted by the position of the new version.
	Changes []BreakingChange

	// Files is the number of files without errors. Services are the services that
	// can be served.
	Files    int
	Services []ServiceInfo
}

// Check reads the sources and binds the handlers as [New] does, and reports all
// problems. It does not listen and leaves nothing running. It uses the fields Sources,
// SchemaLimits, HTTPRules, Handlers, Providers, RequireHandlers, Middleware, OnProgress
// and Log of the Config.
//
// If against is not empty, Check also compares with these sources and reports the
// changes that break callers, and the errors in against. Files with errors are not
// compared.
//
// Check returns an error if a source cannot be read at all, if there is no file in
// against, or if ctx ends.
func Check(ctx context.Context, config Config, against ...Source) (*CheckResult, error) {
	config = config.withDefaults()
	config.Channelz = false // it would begin to collect data
	own, _ := config.ownServices(nil, nil)
	loader := config.loader(own)
	defer loader.Release()
	generation, diags, err := loader.Load(ctx, nil, config.Middleware, 0)
	if err != nil {
		return nil, err
	}
	defer generation.Unpin()
	now := generation.Snapshot
	result := &CheckResult{Diagnostics: diags, Services: servicesOf(generation)}
	for _, f := range now.Files() {
		if f.Descriptor() != nil {
			result.Files++
		}
	}
	if len(against) == 0 {
		return result, nil
	}
	old, err := schema.New(schema.Options{Sources: against, Limits: config.SchemaLimits}).Compile(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the old version: %w", err)
	}
	if len(old.Files()) == 0 {
		return nil, errors.New("the old version has no .proto file")
	}
	result.Changes = breaking.Compare(old, now)
	result.Diagnostics = slices.Concat(old.Errors(), result.Diagnostics)
	return result, nil
}
