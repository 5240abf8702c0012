package framing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// record is an Output that notes all calls.
type record struct {
	fields EventFields // of Begin

	mu    sync.Mutex // what follows Sleep in a test does not happen after it
	calls strings.Builder
	err   error
}

func (r *record) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	r.note(string(p))
	return len(p), nil
}

func (r *record) note(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.WriteString(call)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls.String()
}

func (r *record) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls.Reset()
}

func (r *record) output() Output {
	return Output{
		Writer: r,
		Flush:  func() error { r.note("|"); return nil },
		Begin:  func() EventFields { r.note("^"); return r.fields },
	}
}

const status = `{"code":5,"message":"no \"x\""}`

func TestWriter(t *testing.T) {
	for _, test := range []struct {
		format Format
		fields EventFields
		docs   []string
		end    string // of the stream; empty for an error
		want   string
	}{
		{NDJSON, EventFields{}, nil, "end", "^"},
		{NDJSON, EventFields{}, []string{`{"a":1}`, "{\n\t\"a\": 2\r\n}"}, "end", "^{\"a\":1}\n|{ \t\"a\": 2  }\n|"},
		{NDJSON, EventFields{}, []string{"{}"}, "", "^{}\n|" + `{"error":` + status + "}\n"},
		{Array, EventFields{}, nil, "end", "^[]\n"},
		{Array, EventFields{}, []string{"{}"}, "end", "^[{}|]\n"},
		{Array, EventFields{}, []string{"1", "2", "3"}, "end", "^[1|,\n2|,\n3|]\n"},
		{Array, EventFields{}, []string{"{}", "{}"}, "", "^[{}|,\n{}|,\n" + `{"error":` + status + "}]\n"},
		{Events, EventFields{}, nil, "end", "^event: end\ndata: {}\n\n"},
		{Events, EventFields{}, []string{"{}", "{\n \"a\": 1\r\n\r\n}\n"}, "end", "^data: {}\n\n|data: {\ndata:  \"a\": 1\ndata: }\n\n|event: end\ndata: {}\n\n"},
		{Events, EventFields{}, []string{"{}"}, "", "^data: {}\n\n|event: error\ndata: {\"error\":" + status + "}\n\n"},
		{
			Events,
			EventFields{ID: "seq", Event: "meta.kind", Retry: 1500 * time.Millisecond},
			[]string{`{"seq":"7","meta":{"kind":"a b"}}`, `{"seq":8}`, `{"meta":{"kind":"x\ny"},"seq":"\u0000"}`, `{}`},
			"end", "^retry: 1500\n\nevent: a b\nid: 7\ndata: {\"seq\":\"7\",\"meta\":{\"kind\":\"a b\"}}\n\n|id: 8\ndata: {\"seq\":8}\n\n|" +
				"data: {\"meta\":{\"kind\":\"x\\ny\"},\"seq\":\"\\u0000\"}\n\n|data: {}\n\n|event: end\ndata: {}\n\n",
		},
	} {
		got := record{fields: test.fields}
		w := NewWriter(got.output(), test.format, Options{})
		for _, doc := range test.docs {
			if err := w.Message([]byte(doc)); err != nil {
				t.Fatal(err)
			}
		}
		if test.end != "" {
			if err := w.End(); err != nil {
				t.Fatal(err)
			}
		} else if sent, err := w.Fail([]byte(status)); !sent || err != nil {
			t.Fatal(sent, err)
		}
		if got.String() != test.want {
			t.Errorf("format %d, %q:\ngot  %q\nwant %q", test.format, test.docs, got.String(), test.want)
		}
		if test.format == Array {
			var elements []any
			if err := json.Unmarshal([]byte(strings.Trim(strings.ReplaceAll(got.String(), "|", ""), "^")), &elements); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestFailFirst leaves an error before the first document to the user.
func TestFailFirst(t *testing.T) {
	for _, format := range []Format{NDJSON, Array, Events} {
		var got record
		w := NewWriter(got.output(), format, Options{})
		if sent, err := w.Fail([]byte(status)); sent || err != nil || got.String() != "" {
			t.Errorf("got %t, %v, %q", sent, err, got.String())
		}
		if err := w.End(); err != nil || got.String() != "" {
			t.Errorf("got %v, %q after the end", err, got.String())
		}
	}
	var got record
	w := NewWriter(got.output(), Array, Options{})
	if err := w.Begin(); err != nil || w.Begin() != nil || got.String() != "^|" {
		t.Errorf("got %v, %q", err, got.String())
	}
	if sent, err := w.Fail([]byte(status)); !sent || err != nil || got.String() != "^|["+string(FailureDocument([]byte(status)))+"]\n" {
		t.Errorf("got %t, %v, %q", sent, err, got.String())
	}
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter((&record{err: broken}).output(), Events, Options{})
	if err := w.Message([]byte("{}")); err != broken {
		t.Errorf("got %v", err)
	}
	if err := w.Message([]byte("{}")); err != broken {
		t.Errorf("got %v", err)
	}
	if sent, err := w.Fail([]byte(status)); !sent || err != broken {
		t.Errorf("got %t, %v", sent, err)
	}
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := record{fields: EventFields{Retry: time.Second}}
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			if got.String() != want {
				t.Fatalf("got %q, want %q", got.String(), want)
			}
			got.Reset()
		}
		w := NewWriter(got.output(), Events, Options{})
		time.Sleep(DefaultKeepAlive - time.Nanosecond)
		expect("")
		time.Sleep(time.Nanosecond)
		expect("^retry: 1000\n\n:\n\n|") // the header comes with the first comment
		time.Sleep(2 * DefaultKeepAlive)
		expect(":\n\n|:\n\n|")
		time.Sleep(DefaultKeepAlive - time.Nanosecond)
		if err := w.Message([]byte("{}")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(DefaultKeepAlive - time.Nanosecond)
		expect("data: {}\n\n|")
		if sent, err := w.Fail([]byte(status)); !sent || err != nil {
			t.Fatal(sent, err)
		}
		got.Reset()
		time.Sleep(time.Hour)
		expect("")
	})
}

// TestQuiet has no comments where they do not belong.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for format, quiet := range map[Format]time.Duration{NDJSON: 0, Array: time.Second, Events: -1} {
			var got record
			w := NewWriter(got.output(), format, Options{KeepAlive: quiet})
			time.Sleep(time.Hour)
			if got.String() != "" {
				t.Errorf("format %d: got %q", format, got.String())
			}
			if sent, err := w.Fail(nil); sent || err != nil {
				t.Error(sent, err)
			}
		}
	})
}

// TestStalled aborts a write that the caller does not take.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		aborted := errors.New("aborted")
		w := NewWriter(Output{
			Writer: out,
			Flush:  func() error { return nil },
			Begin:  func() EventFields { return EventFields{} },
			Abort:  func() { in.CloseWithError(aborted) },
		}, NDJSON, Options{})
		go func() {
			_, _ = in.Read(make([]byte, 10)) // once
		}()
		start := time.Now()
		if err := w.Message([]byte("{}")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // quiet, not stalled
		if err := w.Message([]byte("{}")); err != aborted || time.Since(start) != time.Hour+DefaultWriteTimeout {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// TestStalledCaller ends a real response whose caller does not read.
func TestStalledCaller(t *testing.T) {
	for _, version := range []int{1, 2} {
		result := make(chan error, 1)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			w := NewWriter(ResponseOutput(rw, func() EventFields { SetHeader(rw.Header(), ndjsonType); return EventFields{} }), NDJSON, Options{WriteTimeout: 50 * time.Millisecond})
			doc := bytes.Repeat([]byte("1"), 1<<20)
			var err error
			for err == nil {
				err = w.Message(doc)
			}
			result <- err
		}))
		if server.EnableHTTP2 = version == 2; server.EnableHTTP2 {
			server.StartTLS()
		} else {
			server.Start()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.ProtoMajor != version || response.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("got %s, %v", response.Proto, response.Header)
		}
		select {
		case err = <-result:
			t.Logf("HTTP/%d: %v", version, err)
		case <-ctx.Done():
			t.Errorf("HTTP/%d: the write still blocks", version)
		}
		cancel()
		response.Body.Close()
		server.CloseClientConnections()
		server.Close()
	}
}

func TestEventFieldsOf(t *testing.T) {
	for _, test := range []struct {
		md   map[string]string
		want EventFields
	}{
		{nil, EventFields{}},
		{map[string]string{"sse-id": "a.b", "sse-event": "c", "sse-retry": "250"}, EventFields{"a.b", "c", 250 * time.Millisecond}},
		{map[string]string{"sse-retry": "-1"}, EventFields{}},
		{map[string]string{"sse-retry": "1s"}, EventFields{}},
		{map[string]string{"sse-retry": "99999999999"}, EventFields{}},
	} {
		if got := EventFieldsOf(func(key string) string { return test.md[key] }); got != test.want {
			t.Errorf("%v: got %v", test.md, got)
		}
	}
}

func TestMember(t *testing.T) {
	const doc = ` { "a" : "x\"\u00e9" , "b":{"c":[{"d":1}],"d":"}","e":-1.5e3}, "t":true, "n":null,"l":[1], "é":1, "":2 } `
	for path, want := range map[string]string{
		"a": `x"é`, "b.d": "}", "b.e": "-1.5e3", "t": "true", "é": "1",
		"b": "", "b.c": "", "b.c.d": "", "n": "", "l": "", "x": "", "a.b": "", "b.x": "", "n.x": "",
	} {
		if got, ok := member([]byte(doc), path); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", path, got, ok, want)
		}
	}
	for _, doc := range []string{"1", "null", `"a"`, "[]", "{}", " {} ", `[{"a":1}]`} {
		if got, ok := member([]byte(doc), "a"); ok {
			t.Errorf("%s: got %q", doc, got)
		}
	}
}

func FuzzMember(f *testing.F) {
	f.Add(`{"a":{"b":"\\"},"c":[{}]}`, "a.b")
	f.Add(`{"\u0061":1e5}`, "a")
	f.Fuzz(func(t *testing.T, doc, name string) {
		if !json.Valid([]byte(doc)) || strings.Contains(name, ".") || name == "" {
			return
		}
		got, ok := member([]byte(doc), name)
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(doc), &object) != nil || object[name] == nil {
			if ok && !bytes.ContainsRune([]byte(doc), '�') && json.Unmarshal([]byte(doc), &object) != nil {
				t.Fatalf("got %q", got)
			}
			return
		}
		if strings.Count(doc, ":") > 1 {
			return // maybe a duplicate key, of which encoding/json takes the last
		}
		var text string
		if json.Unmarshal(object[name], &text) == nil && object[name][0] == '"' {
			if strings.ContainsRune(text, '�') {
				return
			}
			if !ok || got != text {
				t.Fatalf("got %q, %t, want %q", got, ok, text)
			}
		}
	})
}
