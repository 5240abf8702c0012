package restfront

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schematest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testProto = `syntax = "proto3";
package test;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

service Svc {
  rpc Echo(All) returns (All) { option (google.api.http) = {
    get: "/v1/echo"
    additional_bindings { get: "/v1/echo/{text}" }
    additional_bindings { get: "/v1/numbers/{number}/{inner.name=things/*}" }
    additional_bindings { post: "/v1/whole/{text}" body: "*" }
    additional_bindings { post: "/v1/inner/{inner.name}" body: "inner" }
    additional_bindings { put: "/v1/texts" body: "texts" response_body: "texts" }
    additional_bindings { put: "/v1/labels" body: "labels" response_body: "labels" }
    additional_bindings { put: "/v1/number" body: "number" response_body: "number" }
    additional_bindings { patch: "/v1/inner" body: "inner" }
    additional_bindings { delete: "/v1/echo/{text}" }
    additional_bindings { post: "/v1/any/{text=**}:run" body: "*" }
  }; }
  rpc Reply(All) returns (All);
  rpc Fail(All) returns (All) { option (google.api.http) = { get: "/v1/fail/{number}" }; }
  rpc Many(All) returns (stream All) { option (google.api.http) = { get: "/v1/many/{number}" }; }
  rpc Collect(stream All) returns (All) { option (google.api.http) = { post: "/v1/collect/{inner.name}" body: "*" }; }
  rpc Chat(stream All) returns (stream All) { option (google.api.http) = { post: "/v1/chat" body: "*" additional_bindings { get: "/v1/room/{inner.name}" } }; }
  rpc Raw(google.api.HttpBody) returns (google.api.HttpBody) { option (google.api.http) = { post: "/v1/raw" body: "*" additional_bindings { get: "/v1/raw" } }; }
  rpc File(Upload) returns (Upload) { option (google.api.http) = { post: "/v1/files/{name}" body: "file" response_body: "file"
    additional_bindings { post: "/v1/form" body: "*" } }; }
  rpc Put(stream Upload) returns (Upload) { option (google.api.http) = { put: "/v1/files/{name}" body: "file" }; }
  rpc Download(Upload) returns (stream google.api.HttpBody) { option (google.api.http) = { get: "/v1/files/{name}" }; }
  rpc Header(All) returns (All) { option (google.api.http) = { get: "/v1/header" }; }
}
service Silent { rpc Do(All) returns (All); }
message All {
  string text = 1;
  int32 number = 2;
  Inner inner = 3;
  repeated string texts = 4;
  map<string, int32> labels = 5;
  Kind kind = 6;
  bytes data = 7;
  google.protobuf.Timestamp time = 8;
  google.protobuf.Duration duration = 9;
  google.protobuf.FieldMask update_mask = 10;
  google.protobuf.StringValue wrapped = 11;
  google.protobuf.Value value = 12;
  google.protobuf.Struct struct = 13;
  optional bool flag = 14;
  oneof choice { string left = 15; Inner right = 16; }
  google.protobuf.Any any = 17;
  int64 big = 18;
}
message Inner { string name = 1; int32 count = 2; Inner inner = 3; repeated Inner list = 4; google.protobuf.Timestamp time = 5; string snake_case = 6; }
enum Kind { NONE = 0; SOME = 1; }
message Upload { string name = 1; google.api.HttpBody file = 2; bytes photo = 3; string title = 4; repeated int32 tags = 5; }
message Detail { string why = 1; }
`

const proto2Proto = `syntax = "proto2";
package old;
import "google/api/annotations.proto";
service Svc { rpc Echo(Msg) returns (Msg) { option (google.api.http) = { get: "/old/{name}" additional_bindings { post: "/old/{name}" body: "part" } additional_bindings { put: "/old/{name}" body: "*" } }; } }
message Msg { required string name = 1; optional Part part = 2; repeated Part parts = 3; }
message Part { required int32 x = 1; }
`

// echo sends every request back.
var echo = handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
	return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
		for {
			data, err := call.Recv()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := call.Send(data); err != nil {
				return err
			}
		}
	}), nil
})

type handlerFunc = func(context.Context, handlers.Call) error

// raw is the implementation of a function that uses the call itself.
func raw(f handlerFunc) handlers.Implementation {
	return handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { return handlers.HandlerFunc(f), nil })
}

// newTest returns a front for the services of testProto and proto2Proto, with the
// given handlers by method; the others echo.
func newTest(tb testing.TB, opts Options, with map[string]handlers.Implementation, middleware ...handlers.Middleware) *Front {
	tb.Helper()
	reg := handlers.NewRegistry()
	for name, impl := range with {
		reg.Handle("test.Svc/"+name, impl)
	}
	for _, name := range []string{"Echo", "Many", "Chat", "Raw", "File"} {
		if with[name] == nil {
			reg.Handle("test.Svc/"+name, echo)
		}
	}
	reg.Handle("old.Svc/Echo", echo)
	return newFront(tb, opts, reg, map[string]string{"test.proto": testProto, "old.proto": proto2Proto}, middleware...)
}

func newFront(tb testing.TB, opts Options, reg *handlers.Registry, files map[string]string, middleware ...handlers.Middleware) *Front {
	tb.Helper()
	snap := schematest.Compile(files)
	answers, diags := reg.Load(tb.Context())
	for _, d := range diags {
		tb.Fatal(d.Text)
	}
	b := dispatch.Builder{Log: slog.New(slog.DiscardHandler)}
	g, diags := b.Build(nil, dispatch.Input{
		Snapshot: snap, Middleware: middleware,
		Leases: []*dispatch.Lease{dispatch.NewLease(answers.Registrations(), answers.Release)},
	})
	for _, d := range diags {
		if d.Severity == diag.Error {
			tb.Fatal(d.Text)
		}
	}
	current := new(dispatch.Current)
	current.Swap(g)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return New(current, opts)
}

// request returns a request from its text: a line with verb and URL, headers, an empty
// line, the body.
func request(tb testing.TB, text string) *http.Request {
	tb.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, headers, _ := strings.Cut(head, "\n")
	verb, url, _ := strings.Cut(line, " ")
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(tb.Context(), verb, url, in)
	for header := range strings.SplitSeq(headers, "\n") {
		if name, value, ok := strings.Cut(header, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	return r
}

// serve serves a request without a connection.
func serve(tb testing.TB, f *Front, text string) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, request(tb, text))
	return w
}

func check(t *testing.T, w *httptest.ResponseRecorder, code int, body string) {
	t.Helper()
	if w.Code != code || strings.TrimSpace(w.Body.String()) != body {
		t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, code, body)
	}
}

func TestDefaultBinding(t *testing.T) {
	f := newTest(t, Options{}, nil)
	w := serve(t, f, "POST /test.Svc/Echo\nContent-Type: application/json\n\n"+`{"text":"a","inner":{"count":1}}`)
	check(t, w, 200, `{"text":"a","inner":{"count":1}}`)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	check(t, serve(t, f, "POST /test.Svc/Echo"), 200, `{}`)
}

// bad returns the body of the error of a request with one mistake.
func bad(message, field, description string) string {
	return `{"code":3,"message":` + message + `,"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":` + field + `,"description":` + description + `}]}]}`
}

func TestBodies(t *testing.T) {
	f := newTest(t, Options{}, nil)
	const post = "POST /test.Svc/Echo\n"
	for _, test := range []struct {
		name, request string
		code          int
		body          string
	}{
		{"charset", post + "Content-Type: application/json; charset=UTF-8\n\n" + `{"text":"ä"}`, 200, `{"text":"ä"}`},
		{"suffix", post + "Content-Type: application/vnd.api+json\n\n" + `{"text":"a"}`, 200, `{"text":"a"}`},
		{"no content type", post + "\n" + `{"text":"a"}`, 200, `{"text":"a"}`},
		{"what curl -d sends", post + "Content-Type: application/x-www-form-urlencoded\n\n" + ` {"text":"a"}`, 200, `{"text":"a"}`},
		{
			"other charset", post + "Content-Type: application/json; charset=latin1\n\n" + `{}`, 415,
			`{"code":3,"message":"the content type \"application/json; charset=latin1\" is not supported; supported: application/json, multipart/form-data, application/x-www-form-urlencoded"}`,
		},
		{
			"other type", post + "Content-Type: text/plain\n\n" + `{}`, 415,
			`{"code":3,"message":"the content type \"text/plain\" is not supported; supported: application/json, multipart/form-data, application/x-www-form-urlencoded"}`,
		},
		{
			"other encoding", post + "Content-Encoding: br\n\n" + `{}`, 415,
			`{"code":3,"message":"the content encoding \"br\" is not supported; supported: gzip, zstd"}`,
		},
		{
			"wrong encoding", post + "Content-Encoding: gzip\n\n" + `{}`, 400,
			`{"code":3,"message":"the request body: it is not of its Content-Encoding"}`,
		},
		{
			"syntax", post + "\n" + `{"text":`, 400,
			`{"code":3,"message":"the request body: syntax error (line 1:9): expected a value, but the JSON ends","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest",` +
				`"fieldViolations":[{"description":"syntax error (line 1:9): expected a value, but the JSON ends"}]}]}`,
		},
		{
			"type", post + "\n" + `{"inner":{"list":[{},{"count":"x"}]}}`, 400,
			bad(`"the request body: inner.list[1].count: expected int32, got the string \"x\""`, `"/inner/list/1/count"`, `"expected int32, got the string \"x\""`),
		},
		{
			"query", "POST /test.Svc/Echo?text=a\n\n{}", 400,
			bad(`"query parameter \"text\": unknown: the body is the whole request, so there are no query parameters"`, `"text"`, `"unknown: the body is the whole request, so there are no query parameters"`),
		},
		{
			"required", "POST /old.Svc/Echo\n\n" + `{"parts":[{"x":1},{}]}`, 400,
			`{"code":3,"message":"the request body: required fields are not set: name, parts[1].x","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest",` +
				`"fieldViolations":[{"field":"/parts/1/x","description":"the required field is not set"},{"field":"/name","description":"the required field is not set"}]}]}`,
		},
		{
			"required, no body", "POST /old.Svc/Echo", 400,
			bad(`"name: the required field is not set"`, `"/name"`, `"the required field is not set"`),
		},
	} {
		t.Run(test.name, func(t *testing.T) { check(t, serve(t, f, test.request), test.code, test.body) })
	}
}

func TestErrors(t *testing.T) {
	f := newTest(t, Options{}, map[string]handlers.Implementation{
		"Fail": raw(func(_ context.Context, call handlers.Call) error {
			_ = call.SetHeader(metadata.Pairs("x-a", "b"))
			return status.Error(codes.NotFound, "not here")
		}),
	})
	w := serve(t, f, "POST /test.Svc/Fail\n\n{}")
	check(t, w, 404, `{"code":5,"message":"not here"}`)
	check(t, serve(t, f, "POST /test.Svc/Reply\n\n{}"), 501, `{"code":12,"message":"method test.Svc/Reply is in the schema, but no handler answers it"}`)
	check(t, serve(t, f, "POST /test.Svc/Ecko\n\n{}"), 404, `{"code":5,"message":"unknown method \"Ecko\" of service test.Svc (did you mean \"Echo\"?)"}`)
	check(t, serve(t, f, "GET /test.Svc/Echo"), 405, `{"code":12,"message":"no method is at GET /test.Svc/Echo; use POST"}`)
	check(t, serve(t, f, "OPTIONS /test.Svc/Echo"), 204, ``)
}
