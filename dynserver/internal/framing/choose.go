package framing

// Format is how a stream's documents follow each other in a body.
type Format int

// The formats of streamed responses.
const (
	NDJSON Format = iota + 1
	Array
	Events
)

// Choose returns the media type and the format of a streamed response for the
// values of a request's Accept headers. ok is false if the caller accepts none of
// the formats; Offers lists them.
//
// The media type with the highest q wins. Among equals the one that is named
// wins over one that a wildcard covers, then the one that the caller names first,
// then NDJSON. A request without an Accept header gets NDJSON.
func Choose(accept []string) (mediaType string, format Format, ok bool) { panic("not written yet") }

// Offers are the media types that Choose chooses from, the default first.
// application/ndjson, application/jsonl and application/x-jsonlines are other
// names of the first one.
var Offers = []string{"application/x-ndjson", "application/json", "text/event-stream"}

// Negotiate returns the one of the offered media types that suits the values of a
// request's Accept headers best, by the rules of Choose. The offers are in order
// of preference.
func Negotiate(accept, offers []string) (mediaType string, ok bool) { panic("not written yet") }
