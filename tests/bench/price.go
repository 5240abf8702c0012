package main

// price adds up amounts of money.
type price struct{ units, nanos int64 }

func (p *price) add(quantity, units, nanos int64) {
	p.units += quantity * units
	p.nanos += quantity * nanos
}

// sum returns the amount with its nanos below a billion. All amounts here are
// positive.
func (p *price) sum() (units int64, nanos int32) {
	const billion = 1_000_000_000
	return p.units + p.nanos/billion, int32(p.nanos % billion)
}
