package framing

import (
	"strconv"
	"strings"
)

// Format is how a stream's documents follow each other in a body.
type Format int

// The formats of streamed responses.
const (
	NDJSON Format = iota + 1
	Array
	Events
)

// The media types of the formats.
const (
	ndjsonType = "application/x-ndjson"
	arrayType  = "application/json"
	eventsType = "text/event-stream"
)

// ndjsonTypes are the names of NDJSON, the one for callers without a preference first.
var ndjsonTypes = []string{ndjsonType, "application/ndjson", "application/jsonl", "application/x-jsonlines"}

// streamed are the media types that Choose offers.
var streamed = append(append([]string(nil), ndjsonTypes...), arrayType, eventsType)

// Offers returns the media types that Choose chooses from, the default first,
// without the other names of NDJSON: application/ndjson, application/jsonl and
// application/x-jsonlines.
func Offers() []string { return []string{ndjsonType, arrayType, eventsType} }

// Choose returns the media type and the format of a streamed response for the
// values of a request's Accept headers. ok is false if the caller accepts no
// format; that is answered with 406 and the Offers, before a handler runs.
//
// The rules are those of [Negotiate]. NDJSON is the default.
func Choose(accept []string) (mediaType string, format Format, ok bool) {
	mediaType, ok = Negotiate(accept, streamed)
	switch {
	case !ok:
		return "", 0, false
	case mediaType == arrayType:
		return mediaType, Array, true
	case mediaType == eventsType:
		return mediaType, Events, true
	}
	return mediaType, NDJSON, true
}

// Negotiate returns the offered media type that the values of a request's Accept
// headers ask for (RFC 9110, section 12.5.1). The offers are in order of
// preference, in lower case and without parameters.
//
// The most specific range that covers an offer decides its q. The highest q wins;
// 0 excludes an offer. Among equals an offer that is named wins over one that a
// wildcard covers, then the one whose range comes first, then the one that is
// offered first. Parameters of ranges are ignored, and so are malformed ranges.
// Without a valid range every offer is acceptable.
func Negotiate(accept, offers []string) (mediaType string, ok bool) {
	ranges := parseAccept(accept)
	if len(ranges) == 0 {
		ranges = []mediaRange{{name: "*/*", q: 1000}}
	}
	var best match
	for _, offer := range offers {
		if m := find(ranges, offer); m.q > 0 && m.better(best) {
			mediaType, best = offer, m
		}
	}
	return mediaType, best.q > 0
}

// mediaRange is a range of an Accept header.
type mediaRange struct {
	name string // in lower case: a/b, a/* or */*
	q    int    // in thousandths
}

// match is the range that decides about an offer.
type match struct {
	q, specific, index int
}

func (m match) better(than match) bool {
	if m.q != than.q {
		return m.q > than.q
	}
	if m.specific != than.specific {
		return m.specific > than.specific
	}
	return m.index < than.index
}

// find returns the most specific range that covers an offer.
func find(ranges []mediaRange, offer string) (found match) {
	for i, r := range ranges {
		specific := 0
		switch kind, wild := strings.CutSuffix(r.name, "/*"); {
		case r.name == offer:
			specific = 3
		case r.name == "*/*":
			specific = 1
		case wild && strings.HasPrefix(offer, kind+"/"):
			specific = 2
		}
		if specific > found.specific {
			found = match{r.q, specific, i}
		}
	}
	return found
}

// parseAccept returns the valid ranges of Accept headers.
func parseAccept(accept []string) (ranges []mediaRange) {
	for _, rest := range accept {
		for rest != "" {
			var element string
			element, rest = cutUnquoted(rest, ',')
			if r, ok := parseRange(element); ok {
				ranges = append(ranges, r)
			}
		}
	}
	return ranges
}

// parseRange parses a range with its parameters.
func parseRange(text string) (mediaRange, bool) {
	name, params := cutUnquoted(text, ';')
	r := mediaRange{strings.ToLower(trim(name)), 1000}
	kind, subtype, ok := strings.Cut(r.name, "/")
	if !ok || !isToken(kind) || !isToken(subtype) || kind == "*" && subtype != "*" {
		return r, false
	}
	for params != "" {
		var param string
		param, params = cutUnquoted(params, ';')
		if key, value, _ := strings.Cut(param, "="); strings.EqualFold(trim(key), "q") {
			r.q, ok = parseQ(trim(value))
			return r, ok // what follows belongs to no range
		}
	}
	return r, true
}

// parseQ returns a weight, from 0 to 1 with up to three digits after the point, in
// thousandths.
func parseQ(text string) (int, bool) {
	whole, digits, _ := strings.Cut(text, ".")
	if whole != "0" && whole != "1" || len(digits) > 3 {
		return 0, false
	}
	q, err := strconv.ParseUint(whole+(digits + "000")[:3], 10, 16)
	return int(q), err == nil && q <= 1000
}

// cutUnquoted cuts text at the first separator outside quotes.
func cutUnquoted(text string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == separator && !quoted:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

func trim(text string) string { return strings.Trim(text, " \t") }

// isToken reports whether text is a token of RFC 9110.
func isToken(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return text != ""
}
