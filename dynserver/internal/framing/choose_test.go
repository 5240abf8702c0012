package framing

import (
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
	for _, test := range []struct {
		accept, want string // accept's headers are separated by newlines
		format       Format
	}{
		{"", ndjsonType, NDJSON},
		{"*/*", ndjsonType, NDJSON},
		{browser, ndjsonType, NDJSON},
		{"application/*", ndjsonType, NDJSON},
		{"application/x-ndjson", ndjsonType, NDJSON},
		{"application/ndjson", "application/ndjson", NDJSON},
		{"application/jsonl", "application/jsonl", NDJSON},
		{"Application/X-JSONLines", "application/x-jsonlines", NDJSON},
		{"application/json", arrayType, Array},
		{"application/json; charset=utf-8", arrayType, Array},
		{"application/json, text/plain, */*", arrayType, Array},
		{"text/event-stream", eventsType, Events},
		{"text/*", eventsType, Events},
		{"text/*;q=0.5, application/*;q=0.4", eventsType, Events},
		{"application/json;q=0.5, text/event-stream;q=0.6", eventsType, Events},
		{"application/json, text/event-stream", arrayType, Array},
		{"text/event-stream, application/json", eventsType, Events},
		{"text/event-stream\napplication/json", eventsType, Events},
		{"*/*;q=1, application/x-ndjson;q=0", "application/ndjson", NDJSON},
		{"application/*;q=0, */*", eventsType, Events},
		{"application/*;q=0.1, application/json;q=0.2", arrayType, Array},
		{"application/json;q=0.2, application/*", ndjsonType, NDJSON},
		{"application/json ; q = 0.2 , text/event-stream;q=0.19", arrayType, Array},
		{`text/event-stream;x="a,b;q=0";q=0.9, application/json;q=0.8`, eventsType, Events},
		{`application/json;x="\",*/*"`, arrayType, Array},
		{"application/json;q=1.000", arrayType, Array},
		{"application/json;Q=0.5;q=0", arrayType, Array},
		{",, ,application/json,", arrayType, Array},
		{"nonsense, text/event-stream;q=0.1", eventsType, Events},
		{"nonsense", ndjsonType, NDJSON},
		{"application/json;q=2", ndjsonType, NDJSON}, // malformed, as if it were absent
		{"application/json;q=2, text/event-stream", eventsType, Events},
		{"text/html", "", 0},
		{"text/event*", "", 0},
		{"application/grpc, image/*", "", 0},
		{"*/*;q=0", "", 0},
		{"application/json;q=0.000", "", 0},
	} {
		var accept []string
		if test.accept != "" {
			accept = strings.Split(test.accept, "\n")
		}
		got, format, ok := Choose(accept)
		if got != test.want || format != test.format || ok != (test.want != "") {
			t.Errorf("%q: got %q, %d, %t, want %q, %d", test.accept, got, format, ok, test.want, test.format)
		}
	}
}

func TestParseQ(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "1": 1000, "0.": 0, "1.": 1000, "0.5": 500, "0.05": 50, "0.999": 999, "1.0": 1000} {
		if got, ok := parseQ(text); got != want || !ok {
			t.Errorf("%q: got %d, %t, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ".5", "2", "1.1", "1.001", "0.1234", "-0", "+1", "0.-1", "0x1", "0.5 ", "1e0", "NaN", "00"} {
		if got, ok := parseQ(text); ok {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{"*/*;q=0.8", `a/b;x="\"`, "application/json, text/*;q=0", ",;=/*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got, ok := Negotiate([]string{accept}, streamed)
		if ok != slices.Contains(streamed, got) {
			t.Fatalf("got %q, %t", got, ok)
		}
		// Naming one type above all others always works.
		if !strings.ContainsAny(accept, `"\`) && !strings.Contains(strings.ToLower(accept), eventsType) {
			low := strings.ReplaceAll(accept, ",", ";q=0.1,") + ";q=0.1"
			if got, _ := Negotiate([]string{low, eventsType}, streamed); got != eventsType && !strings.Contains(strings.ToLower(accept), "q") {
				t.Fatalf("with %s: got %q", eventsType, got)
			}
		}
	})
}
