package structs

import "unsafe"

// finish works out what depends on the plans that a plan nests, when all of
// them are there: recursive messages have plans that nest themselves.
func (b *binder) finish() {
	for again := true; again; {
		again = false
		for _, pl := range b.list {
			if !pl.demands && pl.demandsNow() {
				pl.demands, again = true, true
			}
		}
	}
	for _, pl := range b.list {
		pl.watchValues()
	}
	done := map[*plan]bool{}
	for _, pl := range b.list {
		pl.collectInits(done)
		pl.strict = pl.demands || pl.inits != nil
	}
}

// demandsNow tells whether a message has required fields, as far as is known.
func (pl *plan) demandsNow() bool {
	if _, ok := pl.leaf.(generatedLeaf); ok || len(pl.required) > 0 {
		return true
	}
	for i := range pl.fields {
		if sub := pl.fields[i].sub; sub != nil && sub.demands {
			return true
		}
	}
	return false
}

// collectInits lists what to set in an empty message, in the structs that it
// holds as plain values as well. Those cannot be recursive.
func (pl *plan) collectInits(done map[*plan]bool) {
	if done[pl] {
		return
	}
	done[pl] = true
	for i := range pl.fields {
		f := &pl.fields[i]
		if f.hasInit() {
			pl.inits = append(pl.inits, func(p unsafe.Pointer) { f.initialise(unsafe.Add(p, f.off)) })
		}
		if !f.plain || f.sub == nil {
			continue
		}
		f.sub.collectInits(done)
		for _, set := range f.sub.inits {
			pl.inits = append(pl.inits, func(p unsafe.Pointer) { set(unsafe.Add(p, f.off)) })
		}
	}
}

// watchValues has it noted when an entry of a map lacks its value and that value
// is a message with required fields: there it counts as an empty message.
func (pl *plan) watchValues() {
	for i := range pl.fields {
		f := &pl.fields[i]
		if f.maps == nil {
			continue
		}
		if value := &f.sub.fields[1]; value.sub != nil && value.sub.demands {
			value.seen, f.sub.seenAll = 1, 1
		}
	}
}
