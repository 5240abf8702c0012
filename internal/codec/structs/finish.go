package structs

import "unsafe"

// finish computes what depends on nested plans. It runs when all plans exist, as
// the plans of recursive messages contain themselves.
func (b *binder) finish() {
	for again := true; again; {
		again = false
		for _, pl := range b.list {
			if !pl.hasRequired && pl.findsRequired() {
				pl.hasRequired, again = true, true
			}
		}
	}
	for _, pl := range b.list {
		pl.watchValues()
	}
	done := map[*plan]bool{}
	for _, pl := range b.list {
		pl.collectInits(done)
		pl.strict = pl.hasRequired || pl.inits != nil
	}
}

// findsRequired reports whether a message is known to have required fields, in it
// or below.
func (pl *plan) findsRequired() bool {
	if _, ok := pl.leaf.(generatedLeaf); ok || len(pl.required) > 0 {
		return true
	}
	for i := range pl.fields {
		if sub := pl.fields[i].sub; sub != nil && sub.hasRequired {
			return true
		}
	}
	return false
}

// collectInits collects the defaults that are set in an empty message, also in the
// structs that it holds as plain values, which cannot be recursive.
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

// watchValues marks maps whose value type has required fields, so that an entry
// without a value is noticed: it counts as an empty message.
func (pl *plan) watchValues() {
	for i := range pl.fields {
		f := &pl.fields[i]
		if f.maps == nil {
			continue
		}
		if value := &f.sub.fields[1]; value.sub != nil && value.sub.hasRequired {
			value.seen, f.sub.seenAll = 1, 1
		}
	}
}
