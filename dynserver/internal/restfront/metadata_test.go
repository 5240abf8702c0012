package restfront

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
)

// answer is an implementation that receives the request and then does as f says.
func answer(f handlerFunc) handlers.Implementation {
	return raw(func(ctx context.Context, call handlers.Call) error {
		data, err := call.Recv()
		if err != nil {
			return err
		}
		data.Free()
		if err := f(ctx, call); err != nil {
			return err
		}
		return call.Send(httpcall.Message(nil, pool))
	})
}

func TestRequestMetadata(t *testing.T) {
	var got metadata.MD
	var peer handlers.Peer
	f := newTest(t, Options{RequestHeaders: []string{"X-Tenant", "X-Acme-*"}}, map[string]handlers.Implementation{
		"Header": answer(func(_ context.Context, call handlers.Call) error {
			got, peer = call.Header(), call.Peer()
			return nil
		}),
	})
	check(t, serve(t, f, `GET http://api.example/v1/header
Authorization: Bearer x
User-Agent: test
X-Request-Id: 1
Traceparent: 00-a-b-01
X-Forwarded-For: 192.0.2.1
X-B3-Traceid: 2
X-Tenant: t
X-Acme-Region: eu
X-Other: no
Content-Type: application/json
Accept: */*
Connection: X-Request-Id
Te: trailers
Grpc-Metadata-Custom: a
Grpc-Metadata-Custom: b
Grpc-Metadata-Data-Bin: AQI
Grpc-Metadata-Authorization: spoofed
Grpc-Metadata-X-Forwarded-For: spoofed
Grpc-Metadata-X-Acme-Region: spoofed
Grpc-Metadata-Grpc-Timeout: 1S
Grpc-Metadata-Connection: close
Grpc-Metadata-: none
Grpc-Timeout: 1H`), 200, `{}`)
	want := metadata.MD{
		":authority": {"api.example"}, "authorization": {"Bearer x"}, "user-agent": {"test"}, "x-request-id": {"1"},
		"traceparent": {"00-a-b-01"}, "x-forwarded-for": {"192.0.2.1"}, "x-b3-traceid": {"2"}, "x-tenant": {"t"}, "x-acme-region": {"eu"},
		"custom": {"a", "b"}, "data-bin": {"\x01\x02"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if peer.Protocol != "http" || peer.Addr == nil {
		t.Errorf("peer %+v", peer)
	}
	if w := serve(t, f, "GET /v1/header\nGrpc-Metadata-Data-Bin: !"); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestResponseMetadata(t *testing.T) {
	f := newTest(t, Options{ResponseHeaders: []string{"x-shop-*"}}, map[string]handlers.Implementation{
		"Header": answer(func(_ context.Context, call handlers.Call) error {
			call.SetTrailer(metadata.Pairs("cost", "7", "cost-bin", "\x01", "x-http-code", "500", "sse-id", "x"))
			return call.SetHeader(metadata.Pairs("etag", `"1"`, "location", "/v1/x", "set-cookie", "a=1", "set-cookie", "b=2", "custom", "c", "data-bin", "\x01\x02",
				"x-shop-name", "s", "content-type", "text/html", "content-length", "1000", "connection", "close", "grpc-status", "0", "sse-id", "x", "x-http-code", "201"))
		}),
	})
	w := serve(t, f, "GET /v1/header\nTe: gzip, trailers;q=0.5")
	check(t, w, 201, `{}`)
	want := http.Header{
		"Content-Type": {"application/json"}, "Etag": {`"1"`}, "Location": {"/v1/x"}, "Set-Cookie": {"a=1", "b=2"}, "X-Shop-Name": {"s"},
		"Grpc-Metadata-Custom": {"c"}, "Grpc-Metadata-Data-Bin": {"AQI"},
		"Trailer:Grpc-Trailer-Cost": {"7"}, "Trailer:Grpc-Trailer-Cost-Bin": {"AQ"},
	}
	if diff := cmp.Diff(want, w.Header()); diff != "" {
		t.Error(diff)
	}
	w = serve(t, f, "GET /v1/header")
	if w.Header()["Trailer:Grpc-Trailer-Cost"] != nil {
		t.Error("trailers that the caller does not want")
	}
	both(t, f, func(t *testing.T, c *http.Client, url string) {
		resp, body := do(t, c, "GET", url+"/v1/header", "", "Te", "trailers")
		if resp.code != 201 || body != `{}` || resp.trailer.Get("Grpc-Trailer-Cost") != "7" {
			t.Errorf("%d %s %v", resp.code, body, resp.trailer)
		}
	})
}

func TestCodes(t *testing.T) {
	fails := false
	code := ""
	f := newTest(t, Options{}, map[string]handlers.Implementation{
		"Header": answer(func(_ context.Context, call handlers.Call) error {
			_ = call.SetHeader(metadata.Pairs("x-http-code", code))
			if fails {
				return status.Error(codes.FailedPrecondition, "no")
			}
			return nil
		}),
	})
	for _, test := range []struct {
		code  string
		fails bool
		want  int
		body  string
	}{
		{"202", false, 202, `{}`},
		{"204", false, 204, ``},
		{"303", false, 303, `{}`},
		{"404", false, 200, `{}`},
		{"x", false, 200, `{}`},
		{"100", false, 200, `{}`},
		{"412", true, 412, `{"code":9,"message":"no"}`},
		{"200", true, 400, `{"code":9,"message":"no"}`},
		{"600", true, 400, `{"code":9,"message":"no"}`},
	} {
		code, fails = test.code, test.fails
		check(t, serve(t, f, "GET /v1/header"), test.want, test.body)
	}
}

func TestStatuses(t *testing.T) {
	var err error
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Header": answer(func(context.Context, handlers.Call) error { return err })})
	for code, want := range map[codes.Code]int{
		codes.Canceled: 499, codes.Unknown: 500, codes.InvalidArgument: 400, codes.DeadlineExceeded: 504, codes.NotFound: 404,
		codes.AlreadyExists: 409, codes.PermissionDenied: 403, codes.ResourceExhausted: 429, codes.FailedPrecondition: 400,
		codes.Aborted: 409, codes.OutOfRange: 400, codes.Unimplemented: 501, codes.Internal: 500, codes.Unavailable: 503,
		codes.DataLoss: 500, codes.Unauthenticated: 401, 99: 500,
	} {
		err = status.Error(code, "why")
		w := serve(t, f, "GET /v1/header")
		if w.Code != want || !strings.Contains(w.Body.String(), `"message":"why"`) {
			t.Errorf("%v: %d %s", code, w.Code, w.Body)
		}
		if (w.Header().Get("Www-Authenticate") != "") != (want == 401) {
			t.Errorf("%v: %v", code, w.Header())
		}
	}
}

func TestDetails(t *testing.T) {
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Header": raw(func(_ context.Context, call handlers.Call) error {
		detail, err := call.Method().Types.FindMessageByName("test.Detail")
		if err != nil {
			return err
		}
		own := detail.New()
		own.Set(own.Descriptor().Fields().ByName("why"), own.NewField(own.Descriptor().Fields().ByName("why")))
		pb := status.New(codes.Unavailable, "bad \xff text").Proto()
		packed, _ := anypb.New(own.Interface())
		retry, _ := anypb.New(&errdetails.RetryInfo{RetryDelay: durationpb.New(1500e6)})
		pb.Details = []*anypb.Any{packed, retry, {TypeUrl: "type.googleapis.com/no.Such", Value: []byte{1, 2}}, {TypeUrl: "type.googleapis.com/test.Detail", Value: []byte{0xff}}}
		return status.FromProto(pb).Err()
	})})
	w := serve(t, f, "GET /v1/header")
	check(t, w, 503, `{"code":14,"message":"bad `+"\uFFFD"+` text","details":[{"@type":"type.googleapis.com/test.Detail"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"},`+
		`{"@type":"type.googleapis.com/no.Such","@value":"AQI="},{"@type":"type.googleapis.com/test.Detail","@value":"/w=="}]}`)
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After: %s", got)
	}
}

// TestMiddleware sees the errors of requests, and refuses before the body is read.
func TestMiddleware(t *testing.T) {
	var seen []codes.Code
	refuses := false
	middleware := func(next handlers.Handler) handlers.Handler {
		return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
			if refuses {
				return status.Error(codes.Unauthenticated, "who are you?")
			}
			err := next.ServeRPC(ctx, call)
			seen = append(seen, status.Code(err))
			return err
		})
	}
	f := newTest(t, Options{MaxBodyBytes: 100}, nil, middleware)
	for request, want := range map[string]codes.Code{
		"POST /test.Svc/Echo\n\n{":                                codes.InvalidArgument,
		"POST /test.Svc/Echo\n\n" + strings.Repeat(" ", 200):      codes.ResourceExhausted,
		"POST /test.Svc/Echo\nContent-Type: text/plain\n\n{}":     codes.InvalidArgument,
		"GET /v1/numbers/x/things/a":                              codes.InvalidArgument,
		"GET /v1/echo/a":                                          codes.OK,
		"POST /v1/chat\nContent-Type: application/x-ndjson\n\n{x": codes.InvalidArgument,
	} {
		seen = nil
		serve(t, f, request)
		if len(seen) != 1 || seen[0] != want {
			t.Errorf("%.50q: %v, want %v", request, seen, want)
		}
	}
	swallow := func(handlers.Handler) handlers.Handler {
		return handlers.HandlerFunc(func(context.Context, handlers.Call) error { return nil })
	}
	check(t, serve(t, newTest(t, Options{}, nil, swallow), "GET /v1/echo"), 500, `{"code":13,"message":"the method returned no response"}`)
	refuses = true
	check(t, serve(t, f, "POST /test.Svc/Echo\n\n{"), 401, `{"code":16,"message":"who are you?"}`)
}

func TestLimits(t *testing.T) {
	f := newTest(t, Options{MaxBodyBytes: 100, MaxSendBytes: 50, MaxParams: 3}, nil)
	check(t, serve(t, f, "POST /test.Svc/Echo\n\n"+`{"text":"`+strings.Repeat("a", 60)+`"}`), 429, `{"code":8,"message":"the response has 62 bytes, the limit is 50"}`)
	check(t, serve(t, f, "GET /v1/echo?texts=a&texts=b&texts=c"), 200, `{"texts":["a","b","c"]}`)
	check(t, serve(t, f, "GET /v1/echo?texts=a&texts=b&texts=c&texts=d"), 400, `{"code":3,"message":"the request has more than 3 parameters"}`)
	if w := serve(t, f, "GET /v1/echo?"+strings.Repeat("inner.", 200)+"count=1"); w.Code != 400 {
		t.Errorf("%d %.100s", w.Code, w.Body)
	}
	if w := serve(t, newTest(t, Options{}, nil), "POST /test.Svc/Echo\n\n"+`{"inner":`+strings.Repeat(`{"inner":`, 200)); w.Code != 400 {
		t.Errorf("%d %.100s", w.Code, w.Body)
	}
}

// TestFormatOptions writes JSON as the options say.
func TestFormatOptions(t *testing.T) {
	const post = "POST /v1/inner/n?kind=SOME\n\n{}"
	for want, opts := range map[string]Options{
		`{"inner":{"name":"n"},"kind":1}`:                                       {EnumNumbers: true},
		"{\n  \"inner\": {\n    \"name\": \"n\"\n  },\n  \"kind\": \"SOME\"\n}": {Indent: true},
	} {
		check(t, serve(t, newTest(t, opts, nil), post), 200, want)
	}
	check(t, serve(t, newTest(t, Options{ProtoNames: true}, nil), "GET /v1/echo?inner.snakeCase=x"), 200, `{"inner":{"snake_case":"x"}}`)
	w := serve(t, newTest(t, Options{EmitDefaults: true}, nil), "POST /test.Svc/File\n\n{}")
	check(t, w, 200, `{"name":"","photo":"","title":"","tags":[]}`)
}
