package dispatch

import (
	"sync/atomic"

	"github.com/dyngate/dyngate/handlers"
)

// Lease counts who uses what a provider has loaded: generations, and whoever
// builds them. The last one releases it.
type Lease struct {
	answers handlers.Answers
	users   atomic.Int64
}

// NewLease returns a lease with one user, who must release it. Answers may be nil.
func NewLease(answers handlers.Answers) *Lease {
	if answers == nil {
		answers = none{}
	}
	l := &Lease{answers: answers}
	l.users.Store(1)
	return l
}

// hold adds a user. There must be one.
func (l *Lease) hold() { l.users.Add(1) }

// Release takes a user away.
func (l *Lease) Release() {
	if l.users.Add(-1) == 0 {
		l.answers.Release()
	}
}

// Answers returns what the lease is of.
func (l *Lease) Answers() handlers.Answers { return l.answers }

func registrationsOf(list []*Lease) (regs []*handlers.Registration) {
	for _, l := range list {
		regs = append(regs, l.answers.Registrations()...)
	}
	return regs
}

// none are no answers.
type none struct{}

func (none) Registrations() []*handlers.Registration { return nil }
func (none) Release()                                {}

// leases are the leases of registrations.
type leases map[*handlers.Registration]*Lease

func leasesOf(list []*Lease) leases {
	out := make(leases)
	for _, l := range list {
		for _, reg := range l.answers.Registrations() {
			out[reg] = l
		}
	}
	return out
}

// hold holds, once each, the leases of all registrations that the services use:
// of stale services those of prev. It returns the registrations' leases, and
// them.
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
