package dispatch

import (
	"sync/atomic"

	"github.com/dyngate/dyngate/handlers"
)

// Lease counts the users of what a provider has loaded: generations, and the loader
// that builds them. The last user releases it.
type Lease struct {
	registrations []*handlers.Registration
	release       func()
	users         atomic.Int64
}

// NewLease returns a lease with one user, the caller, who must release it. The last
// user calls release.
func NewLease(registrations []*handlers.Registration, release func()) *Lease {
	l := &Lease{registrations: registrations, release: release}
	l.users.Store(1)
	return l
}

// hold adds a user. The lease must have one already.
func (l *Lease) hold() { l.users.Add(1) }

// Release removes a user. It must be called once for each user.
func (l *Lease) Release() {
	if l.users.Add(-1) == 0 {
		l.release()
	}
}

// Registrations returns what the provider has loaded.
func (l *Lease) Registrations() []*handlers.Registration { return l.registrations }

func registrationsOf(list []*Lease) (regs []*handlers.Registration) {
	for _, l := range list {
		regs = append(regs, l.registrations...)
	}
	return regs
}

// leases maps registrations to the lease that keeps them.
type leases map[*handlers.Registration]*Lease

func leasesOf(list []*Lease) leases {
	out := make(leases)
	for _, l := range list {
		for _, reg := range l.registrations {
			out[reg] = l
		}
	}
	return out
}

// hold adds a user to each lease whose registrations the services use. Stale
// services may use leases of prev. It returns the lease of each registration that is
// used, and the leases that it holds.
func (ls leases) hold(services []*Service, prev leases) (used leases, held []*Lease) {
	used = make(leases)
	seen := make(map[*Lease]bool)
	for _, s := range services {
		for _, r := range s.Routes {
			for _, reg := range r.Registrations {
				l := ls[reg]
				if l == nil {
					l = prev[reg]
				}
				used[reg] = l
				if l != nil && !seen[l] {
					seen[l] = true
					l.hold()
					held = append(held, l)
				}
			}
		}
	}
	return used, held
}
