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

// BreakingChange is a change of the schemas that breaks who knows their last
// version, with the place of both versions.
type BreakingChange = breaking.Change

// CheckResult is what [Check] has found.
type CheckResult struct {
	// Diagnostics are all errors, warnings and hints, in this order.
	Diagnostics []*diag.Diagnostic

	// Changes are the breaking changes, by the place of the new version.
	Changes []BreakingChange

	// Files is how many files are good, and Services are the services that can
	// be served.
	Files    int
	Services []ServiceInfo
}

// Check reads the sources and binds the handlers as [New] does, and reports all
// that is wrong with them. Nothing listens, nothing runs when it returns, and
// of the Config only Sources, SchemaLimits, Handlers, Providers, RequireHandlers,
// Middleware and Log are used.
//
// When there are sources in against, it also reports what has changed since
// those in a way that breaks callers, and the errors in those: what is broken
// is not compared.
//
// The error is one that keeps it from checking: a source that cannot be read at
// all, nothing in against, or ctx's.
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
		return nil, fmt.Errorf("reading what to compare with: %w", err)
	}
	if len(old.Files()) == 0 {
		return nil, errors.New("there is no .proto file in what to compare with")
	}
	result.Changes = breaking.Compare(old, now)
	result.Diagnostics = slices.Concat(old.Errors(), result.Diagnostics)
	return result, nil
}
