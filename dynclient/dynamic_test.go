package dynclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

func TestInvoke(t *testing.T) {
	c := dial(t, serveExamples(t))
	const method = "Greeter/SayHello"
	m, err := c.Schema().Method(t.Context(), method)
	if err != nil {
		t.Fatal(err)
	}
	built := m.NewRequest()
	built.Set(built.Descriptor().Fields().ByName("name"), protoreflect.ValueOfString("Ada"))
	for name, in := range map[string]any{
		"JSON": json.RawMessage(`{"name": "Ada"}`), "map": map[string]any{"name": "Ada"}, "Dynamic": built, "message": built.Interface(),
	} {
		var text json.RawMessage
		var fields map[string]any
		var message dynclient.Dynamic
		for _, out := range []any{&text, &fields, &message} {
			if err := c.Invoke(t.Context(), method, in, out); err != nil {
				t.Errorf("%s in, %T out: %v", name, out, err)
			}
		}
		if got := string(text); !strings.HasPrefix(got, `{"message":"`) || !strings.Contains(got, "Ada") {
			t.Errorf("%s: got %s", name, got)
		}
		if got, _ := fields["message"].(string); !strings.Contains(got, "Ada") {
			t.Errorf("%s: got %v", name, fields)
		}
		if message.Message == nil || !strings.Contains(message.Get(message.Descriptor().Fields().ByName("message")).String(), "Ada") {
			t.Errorf("%s: got %v", name, message)
		}
	}
}

func TestInvokeMistakes(t *testing.T) {
	c := dial(t, serveExamples(t))
	var out json.RawMessage
	for name, tt := range map[string]struct {
		method string
		in     any
		out    any
		want   string
	}{
		"field":           {"Greeter/SayHello", json.RawMessage(`{"nam": "Ada"}`), &out, `no field "nam"`},
		"field of a map":  {"Greeter/SayHello", map[string]any{"nam": 1}, &out, `no field "nam"`},
		"no JSON":         {"Greeter/SayHello", json.RawMessage(`{`), &out, "cannot encode the request"},
		"a struct":        {"Greeter/SayHello", struct{}{}, &out, "typed stubs"},
		"nothing":         {"Greeter/SayHello", nil, &out, "typed stubs"},
		"no message":      {"Greeter/SayHello", (*dynclient.Dynamic)(nil), &out, "no message"},
		"other message":   {"Greeter/SayHello", &anypb.Any{}, &out, "google.protobuf.Any, not a HelloRequest"},
		"other out":       {"Greeter/SayHello", json.RawMessage(`{}`), &anypb.Any{}, "google.protobuf.Any"},
		"a struct as out": {"Greeter/SayHello", json.RawMessage(`{}`), &struct{}{}, "typed stubs"},
		"streams":         {"RouteGuide/ListFeature", json.RawMessage(`{}`), &out, "server-streaming"},
		"unknown method":  {"Greeter/SayHowdy", json.RawMessage(`{}`), &out, `unknown method "Greeter/SayHowdy"`},
	} {
		err := c.Invoke(t.Context(), tt.method, tt.in, tt.out)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

func TestStreamsOfEveryShape(t *testing.T) {
	c := dial(t, serveExamples(t))
	for method, tt := range map[string]struct {
		in      []string
		answers int
	}{
		"Greeter/SayHello":       {[]string{`{"name": "Ada"}`}, 1},
		"RouteGuide/ListFeature": {[]string{`{"lo": {"latitude": 400000000, "longitude": -750000000}, "hi": {"latitude": 420000000, "longitude": -730000000}}`}, 2},
		"RouteGuide/RecordRoute": {[]string{`{"latitude": 1}`, `{"latitude": 2}`}, 1},
		"RouteGuide/RouteChat":   {[]string{`{"message": "one"}`, `{"message": "two"}`}, 1},
	} {
		s, err := c.Stream(t.Context(), method)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, in := range tt.in {
			if err := s.Send(json.RawMessage(in)); err != nil {
				t.Errorf("%s: %v", method, err)
			}
		}
		s.CloseSend()
		if _, err := s.Header(); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		n := 0
		for {
			var out map[string]any
			err := s.Recv(&out)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", method, err)
			}
			n++
		}
		if n < tt.answers || s.Method().Path() != method {
			t.Errorf("%s: %d answers of %s", method, n, s.Method().Path())
		}
	}
}

// shop has a service whose responses and error details have an Any with a type
// that its file does not import.
var shop = fstest.MapFS{
	"shop.proto": {Data: []byte(`syntax = "proto3"; package shop; import "google/protobuf/any.proto"; import "google/protobuf/empty.proto";
		service Shop { rpc Get(google.protobuf.Empty) returns (google.protobuf.Any); rpc Fail(google.protobuf.Empty) returns (google.protobuf.Empty); }`)},
	"item.proto": {Data: []byte(`syntax = "proto3"; package shop; message Item { string name = 1; }
		service Items { rpc Put(Item) returns (Item); }`)},
}

func serveShop(t *testing.T) string {
	reg := handlers.NewRegistry()
	var item *anypb.Any
	reg.Handle("shop.Items/Put", handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		message := m.NewReply()
		message.Set(message.Descriptor().Fields().ByName("name"), protoreflect.ValueOfString("pen"))
		var err error
		item, err = anypb.New(message.Interface())
		return handlers.HandlerFunc(func(context.Context, handlers.Call) error { return nil }), err
	}))
	reg.Handle("shop.Shop/Get", handlers.Unary(func(context.Context, *struct{}) (*anypb.Any, error) { return item, nil }))
	reg.Handle("shop.Shop/Fail", handlers.Unary(func(context.Context, *struct{}) (*struct{}, error) {
		st, err := status.New(codes.ResourceExhausted, "sold out").WithDetails(protoadapt.MessageV1Of(item), protoadapt.MessageV1Of(&anypb.Any{TypeUrl: "x/no.Such"}))
		if err != nil {
			return nil, err
		}
		p := st.Proto()
		p.Details[0], p.Details[1] = item, &anypb.Any{TypeUrl: "x/no.Such", Value: []byte("?")}
		return nil, status.FromProto(p).Err()
	}))
	return serve(t, dynserver.Config{Sources: []dynserver.Source{dynserver.FS("shop", shop)}, Handlers: reg})
}

// TestExtensionsAreFoundInTheWholeSchema sends and receives an extension from a
// file that the method's file does not import.
func TestExtensionsAreFoundInTheWholeSchema(t *testing.T) {
	files := fstest.MapFS{
		"s.proto": {Data: []byte(`syntax = "proto2"; package p; service S { rpc Echo(Q) returns (Q); } message Q { extensions 100 to 200; }`)},
		"e.proto": {Data: []byte(`syntax = "proto2"; package p; import "s.proto"; extend Q { optional string ext = 100; }
			service E { rpc Use(Q) returns (Q); }`)},
	}
	reg := handlers.NewRegistry()
	reg.Handle("p.S/Echo", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			in, err := call.Recv()
			if err != nil {
				return err
			}
			return call.Send(in)
		}), nil
	}))
	addr := serve(t, dynserver.Config{Sources: []dynserver.Source{dynserver.FS("ext", files)}, Handlers: reg})
	for name, source := range map[string]dynclient.Source{"reflection": dynclient.Reflection(), "files": dynclient.FS("ext", files)} {
		c := dial(t, addr, dynclient.WithSources(source))
		var out json.RawMessage
		err := c.Invoke(t.Context(), "p.S/Echo", json.RawMessage(`{"[p.ext]": "hello"}`), &out)
		if want := `{"[p.ext]":"hello"}`; err != nil || string(out) != want {
			t.Errorf("%s: got %s, %v", name, out, err)
		}
	}
}

func TestAnyIsResolvedByTheWholeSchema(t *testing.T) {
	addr := serveShop(t)
	for name, sources := range map[string][]dynclient.Source{
		"reflection": {dynclient.Reflection()}, "files": {dynclient.FS("shop", shop)},
	} {
		c := dial(t, addr, dynclient.WithSources(sources...))
		var out json.RawMessage
		err := c.Invoke(t.Context(), "shop.Shop/Get", json.RawMessage(`{}`), &out)
		if want := `{"@type":"type.googleapis.com/shop.Item","name":"pen"}`; err != nil || string(out) != want {
			t.Errorf("%s: got %s, %v", name, out, err)
		}
		err = c.Invoke(t.Context(), "shop.Shop/Fail", json.RawMessage(`{}`), &out)
		var e *dynclient.Error
		if !errors.As(err, &e) || e.Code() != codes.ResourceExhausted || e.Message() != "sold out" {
			t.Fatalf("%s: got %v", name, err)
		}
		details := e.Details(t.Context())
		if len(details) != 2 || details[0].ProtoReflect().Descriptor().FullName() != "shop.Item" {
			t.Fatalf("%s: the details are %v", name, details)
		}
		if a, ok := details[1].(*anypb.Any); !ok || a.GetTypeUrl() != "x/no.Such" {
			t.Errorf("%s: the unknown detail is %v", name, details[1])
		}
	}
}
