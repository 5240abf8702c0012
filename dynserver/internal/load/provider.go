package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// provider is a provider whose mistakes are reported. A panic of it must not end the
// process: it may come while files are watched, or at the end of any call.
type provider struct {
	from handlers.Provider
	name string
	log  *slog.Logger

	lease *dispatch.Lease // of the last load; nil before the first
}

// newProviders returns the providers, of which some may be nil.
func newProviders(all []handlers.Provider, log *slog.Logger) []*provider {
	out := make([]*provider, len(all))
	for i, from := range all {
		p := &provider{from: from, name: fmt.Sprintf("provider %d", i), log: log}
		_ = guard(func() { p.name = from.Name() })
		out[i] = p
	}
	return out
}

// guard calls f. A panic becomes an error.
func guard(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panicked: %v", v)
		}
	}()
	f()
	return nil
}

// loaded is what a provider has loaded.
type loaded struct {
	registrations []*handlers.Registration
	release       func()
}

// load loads the provider. The result is nil if the last one stays.
func (p *provider) load(ctx context.Context) (*loaded, []*diag.Diagnostic) {
	if p.from == nil {
		return nil, []*diag.Diagnostic{diag.New(diag.Error, diag.Position{}, "%s is nil", p.name)}
	}
	var answers handlers.Answers
	var regs []*handlers.Registration
	var problems []*diag.Diagnostic
	err := guard(func() {
		answers, problems = p.from.Load(ctx)
		if answers != nil {
			regs = slices.Clone(answers.Registrations())
		}
	})
	problems = slices.DeleteFunc(slices.Clone(problems), func(d *diag.Diagnostic) bool { return d == nil })
	release := func() {
		if answers == nil {
			return
		}
		if err := guard(answers.Release); err != nil {
			p.log.Error("releasing what a provider has loaded failed", "provider", p.name, "error", err)
		}
	}
	if valid := slices.DeleteFunc(regs, func(r *handlers.Registration) bool { return r == nil }); len(valid) < len(regs) {
		err = errors.Join(err, fmt.Errorf("%d registrations are nil", len(regs)-len(valid)))
		regs = valid
	}
	if err != nil {
		problems = append(problems, diag.New(diag.Error, diag.Position{}, "loading %s: %v", p.name, err))
	}
	if answers == nil {
		return nil, problems
	}
	return &loaded{registrations: regs, release: release}, problems
}

// adopt makes what was loaded the provider's. The load before is released when the last
// generation that uses it has ended.
func (p *provider) adopt(now *loaded) {
	switch {
	case now == nil && p.lease == nil:
		p.lease = dispatch.NewLease(nil, func() {})
	case now == nil:
	case p.lease != nil && slices.Equal(now.registrations, p.lease.Registrations()):
		now.release() // nothing has changed
	default:
		p.release()
		p.lease = dispatch.NewLease(now.registrations, now.release)
	}
}

// release gives up the last load.
func (p *provider) release() {
	if p.lease != nil {
		p.lease.Release()
		p.lease = nil
	}
}

// files returns the files that the provider reads. There are none if it panics.
func (p *provider) files() (files []string) {
	if p.from == nil {
		return nil
	}
	if err := guard(func() { files = p.from.Files() }); err != nil {
		p.log.Error("the files of a provider are not watched", "provider", p.name, "error", err)
	}
	return files
}
