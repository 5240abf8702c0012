package breaking

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// reserved are the numbers and names that a message or enum must not use again.
type reserved struct {
	ranges [][2]int64 // both ends included
	names  protoreflect.Names
	max    int64 // the largest number there is
}

func ofMessage(m protoreflect.MessageDescriptor) reserved {
	r := reserved{names: m.ReservedNames(), max: 1<<29 - 1}
	for i := range m.ReservedRanges().Len() {
		span := m.ReservedRanges().Get(i)
		r.ranges = append(r.ranges, [2]int64{int64(span[0]), int64(span[1]) - 1})
	}
	return r
}

func ofEnum(e protoreflect.EnumDescriptor) reserved {
	r := reserved{names: e.ReservedNames(), max: math.MaxInt32}
	for i := range e.ReservedRanges().Len() {
		span := e.ReservedRanges().Get(i)
		r.ranges = append(r.ranges, [2]int64{int64(span[0]), int64(span[1])})
	}
	return r
}

// reservations finds numbers and names that are no longer reserved, so that they
// may be used with another meaning.
func reservations(what string, old, now reserved) (found []finding) {
	slices.SortFunc(now.ranges, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	for _, span := range old.ranges {
		if missing := subtract(span, now.ranges); len(missing) > 0 {
			found = append(found, breaks("%s no longer reserves %s", what, now.show(missing))...)
		}
	}
	for i := range old.names.Len() {
		if name := old.names.Get(i); !now.names.Has(name) {
			found = append(found, breaks("%s no longer reserves the name %q", what, name)...)
		}
	}
	return found
}

// subtract returns the parts of a span that are not in the ranges, which are sorted
// and do not overlap.
func subtract(span [2]int64, ranges [][2]int64) (missing [][2]int64) {
	next := span[0]
	first, _ := slices.BinarySearchFunc(ranges, next, func(r [2]int64, n int64) int { return cmp.Compare(r[1], n) })
	for _, r := range ranges[first:] {
		if r[0] > span[1] {
			break
		}
		if r[0] > next {
			missing = append(missing, [2]int64{next, r[0] - 1})
		}
		next = max(next, r[1]+1)
	}
	if next <= span[1] {
		missing = append(missing, [2]int64{next, span[1]})
	}
	return missing
}

func (r reserved) show(spans [][2]int64) string {
	parts := make([]string, len(spans))
	for i, s := range spans {
		switch {
		case s[0] == s[1]:
			parts[i] = strconv.FormatInt(s[0], 10)
		case s[1] == r.max:
			parts[i] = fmt.Sprintf("%d to max", s[0])
		default:
			parts[i] = fmt.Sprintf("%d to %d", s[0], s[1])
		}
	}
	return strings.Join(parts, ", ")
}
