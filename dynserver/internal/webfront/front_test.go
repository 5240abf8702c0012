package webfront

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/andybalholm/brotli"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schematest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testProto = `syntax = "proto3"; package web;
message Msg { string text = 1; }
message Detail { int32 number = 1; }
service Svc {
  rpc Unary(Msg) returns (Msg);
  rpc Get(Msg) returns (Msg) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Server(Msg) returns (stream Msg);
  rpc Client(stream Msg) returns (Msg);
  rpc Bidi(stream Msg) returns (stream Msg);
  rpc Any(stream Msg) returns (stream Msg);
}`

type msg struct{ Text string }

// answerMetadata answers the metadata x-in and in-bin of a request, in the header and
// in the trailer. The text "fail" fails.
func answerMetadata(ctx context.Context, text string) error {
	md, _ := metadata.FromIncomingContext(ctx)
	out := metadata.MD{"x-out": md["x-in"], "out-bin": md["in-bin"], "x-protocol": {handlers.CallFrom(ctx).Peer().Protocol}}
	if err := grpc.SetHeader(ctx, out); err != nil {
		return err
	}
	if err := grpc.SetTrailer(ctx, metadata.MD{"t-out": md["x-in"], "t-bin": md["in-bin"]}); err != nil {
		return err
	}
	if text != "fail" {
		return nil
	}
	detail, err := handlers.MethodFrom(ctx).NewMessage("web.Detail")
	if err != nil {
		return err
	}
	detail.Set(detail.Descriptor().Fields().ByName("number"), protoreflect.ValueOfInt32(7))
	st, err := status.New(codes.FailedPrecondition, "no ☺\n").WithDetails(protoadapt.MessageV1Of(detail.Interface()))
	return errors.Join(err, st.Err())
}

func unaryMsg(ctx context.Context, in *msg) (*msg, error) {
	if err := answerMetadata(ctx, in.Text); err != nil {
		return nil, err
	}
	return &msg{"hello " + in.Text}, nil
}

func serverMsg(ctx context.Context, in *msg) iter.Seq2[*msg, error] {
	return func(yield func(*msg, error) bool) {
		if err := answerMetadata(ctx, in.Text); err != nil {
			yield(nil, err)
			return
		}
		for i := range 3 {
			if !yield(&msg{fmt.Sprint(in.Text, i)}, nil) {
				return
			}
		}
	}
}

func clientMsg(ctx context.Context, in iter.Seq2[*msg, error]) (*msg, error) {
	var all []string
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		all = append(all, m.Text)
	}
	text := strings.Join(all, "+")
	return &msg{text}, answerMetadata(ctx, text)
}

func bidiMsg(ctx context.Context, in iter.Seq2[*msg, error]) iter.Seq2[*msg, error] {
	return func(yield func(*msg, error) bool) {
		first := true
		for m, err := range in {
			if err == nil && first {
				first, err = false, answerMetadata(ctx, m.Text)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&msg{"got " + m.Text}, nil) {
				return
			}
		}
	}
}

// newCurrent serves testProto. serve, which may be nil, answers Any.
func newCurrent(tb testing.TB, serve handlers.HandlerFunc) *dispatch.Current {
	tb.Helper()
	reg := handlers.NewRegistry()
	reg.Handle("web.Svc/Unary", handlers.Unary(unaryMsg))
	reg.Handle("web.Svc/Get", handlers.Unary(unaryMsg))
	reg.Handle("web.Svc/Server", handlers.ServerStream(serverMsg))
	reg.Handle("web.Svc/Client", handlers.ClientStream(clientMsg))
	reg.Handle("web.Svc/Bidi", handlers.Bidi(bidiMsg))
	if serve != nil {
		reg.Handle("web.Svc/Any", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { return serve, nil }))
	}
	return serving(tb, testProto, reg)
}

// serving serves a schema.
func serving(tb testing.TB, schema string, reg *handlers.Registry) *dispatch.Current {
	tb.Helper()
	snap := schematest.Compile(map[string]string{"test.proto": schema})
	loaded, diags := reg.Load(tb.Context())
	if len(diags) > 0 {
		tb.Fatal(diags)
	}
	b := dispatch.Builder{Log: slog.New(slog.DiscardHandler)}
	lease := dispatch.NewLease(loaded.Registrations(), loaded.Release)
	g, diags := b.Build(nil, dispatch.Input{Snapshot: snap, Leases: []*dispatch.Lease{lease}})
	if len(diags) > 0 {
		tb.Fatal(diags)
	}
	current := new(dispatch.Current)
	current.Swap(g)
	return current
}

// start serves a handler over HTTP/1.1 and over HTTP/2 without TLS.
func start(tb testing.TB, h http.Handler) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	tb.Cleanup(server.Close)
	return server
}

// clientOf returns a client of one version of HTTP.
func clientOf(tb testing.TB, version int) *http.Client {
	tb.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(version == 1)
	transport.Protocols.SetUnencryptedHTTP2(version == 2)
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// msgCodec is a client's codec of msg.
type msgCodec struct{ name string }

func (c msgCodec) Name() string { return c.name }

func (c msgCodec) Marshal(v any) ([]byte, error) {
	if c.name == "json" {
		return json.Marshal(map[string]string{"text": v.(*msg).Text})
	}
	return wireOf(v.(*msg).Text), nil
}

func (c msgCodec) Unmarshal(b []byte, v any) error {
	if status, ok := v.(proto.Message); ok { // with which gRPC sends details
		return proto.Unmarshal(b, status)
	}
	m := v.(*msg)
	if c.name == "json" {
		return json.Unmarshal(b, m)
	}
	if len(b) == 0 {
		return nil
	}
	text, n := protowire.ConsumeString(b[1:])
	m.Text = text
	return protowire.ParseError(n)
}

// MarshalStable and IsBinary make a client send messages by GET.
func (c msgCodec) MarshalStable(v any) ([]byte, error) { return c.Marshal(v) }
func (c msgCodec) IsBinary() bool                      { return c.name != "json" }

func wireOf(text string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
}

// way is a way to call.
type way struct {
	protocol, codec, compression string
	version                      int
}

func (w way) String() string {
	return fmt.Sprintf("%s %s %s HTTP %d", w.protocol, w.codec, w.compression, w.version)
}

// ways returns all ways, but not gRPC over HTTP/1.1.
func ways() (all []way) {
	for _, protocol := range []string{"connect", "grpcweb", "grpc"} {
		for _, codec := range []string{"proto", "json"} {
			for _, compression := range []string{"", "gzip", "br", "zstd"} {
				for version := 1; version <= 2; version++ {
					if protocol != "grpc" || version == 2 {
						all = append(all, way{protocol, codec, compression, version})
					}
				}
			}
		}
	}
	return all
}

// client returns a client of a method.
func (w way) client(tb testing.TB, url, method string, more ...connect.ClientOption) *connect.Client[msg, msg] {
	tb.Helper()
	opts := []connect.ClientOption{connect.WithCodec(msgCodec{w.codec})}
	switch w.protocol {
	case "grpc":
		opts = append(opts, connect.WithGRPC())
	case "grpcweb":
		opts = append(opts, connect.WithGRPCWeb())
	}
	switch w.compression {
	case "br":
		opts = append(opts, connect.WithAcceptCompression("br",
			func() connect.Decompressor {
				return newLimited(func() decompressor { return brotli.NewReader(nil) }, 1<<20)
			},
			func() connect.Compressor { return brotli.NewWriter(nil) }))
	case "zstd":
		opts = append(opts, connect.WithAcceptCompression("zstd",
			func() connect.Decompressor { return newLimited(func() decompressor { return newZstdReader() }, 1<<20) },
			func() connect.Compressor { return newZstdWriter() }))
	}
	if w.compression != "" {
		opts = append(opts, connect.WithSendCompression(w.compression))
	}
	return connect.NewClient[msg, msg](clientOf(tb, w.version), url+"/web.Svc/"+method, append(opts, more...)...)
}

// outcome is what a caller gets.
type outcome struct {
	texts           []string
	header, trailer http.Header
	err             error
}

// shapes call the method of each shape with texts; the method that takes one gets the
// first.
var shapes = map[string]func(ctx context.Context, c *connect.Client[msg, msg], header http.Header, texts []string) outcome{
	"Unary":  callUnary,
	"Get":    callUnary,
	"Server": callServer,
	"Client": callClient,
	"Bidi":   callBidi,
}

func callUnary(ctx context.Context, c *connect.Client[msg, msg], header http.Header, texts []string) outcome {
	req := connect.NewRequest(&msg{texts[0]})
	maps.Copy(req.Header(), header)
	res, err := c.CallUnary(ctx, req)
	if err != nil {
		return failure(err)
	}
	return outcome{[]string{res.Msg.Text}, res.Header(), res.Trailer(), nil}
}

func callServer(ctx context.Context, c *connect.Client[msg, msg], header http.Header, texts []string) outcome {
	req := connect.NewRequest(&msg{texts[0]})
	maps.Copy(req.Header(), header)
	stream, err := c.CallServerStream(ctx, req)
	if err != nil {
		return failure(err)
	}
	defer stream.Close()
	var out outcome
	for stream.Receive() {
		out.texts = append(out.texts, stream.Msg().Text)
	}
	if stream.Err() != nil {
		return failure(stream.Err())
	}
	out.header, out.trailer = stream.ResponseHeader(), stream.ResponseTrailer()
	return out
}

func callClient(ctx context.Context, c *connect.Client[msg, msg], header http.Header, texts []string) outcome {
	stream := c.CallClientStream(ctx)
	maps.Copy(stream.RequestHeader(), header)
	for _, text := range texts {
		if err := stream.Send(&msg{text}); err != nil {
			break // the response says why
		}
	}
	res, err := stream.CloseAndReceive()
	if err != nil {
		return failure(err)
	}
	return outcome{[]string{res.Msg.Text}, res.Header(), res.Trailer(), nil}
}

// callBidi sends each text when the answer to the one before has come.
func callBidi(ctx context.Context, c *connect.Client[msg, msg], header http.Header, texts []string) outcome {
	stream := c.CallBidiStream(ctx)
	defer stream.CloseResponse()
	maps.Copy(stream.RequestHeader(), header)
	var out outcome
	for _, text := range texts {
		if err := stream.Send(&msg{text}); err != nil && !errors.Is(err, io.EOF) {
			return failure(err)
		}
		res, err := stream.Receive()
		if err != nil {
			return failure(err)
		}
		out.texts = append(out.texts, res.Text)
	}
	if err := stream.CloseRequest(); err != nil {
		return failure(err)
	}
	if _, err := stream.Receive(); !errors.Is(err, io.EOF) {
		return failure(err)
	}
	out.header, out.trailer = stream.ResponseHeader(), stream.ResponseTrailer()
	return out
}

func failure(err error) outcome {
	var wrong *connect.Error
	if errors.As(err, &wrong) {
		return outcome{err: err, header: wrong.Meta(), trailer: wrong.Meta()}
	}
	return outcome{err: err, header: http.Header{}, trailer: http.Header{}}
}

// eachCall runs a test for each shape in each way, but not for bidirectional streams
// over HTTP/1.1, which connect's client refuses.
func eachCall(t *testing.T, test func(t *testing.T, w way, method string)) {
	for _, w := range ways() {
		for method := range shapes {
			if method != "Bidi" || w.version == 2 {
				t.Run(w.String()+" "+method, func(t *testing.T) { test(t, w, method) })
			}
		}
	}
}

var wants = map[string][]string{
	"Unary":  {"hello a"},
	"Get":    {"hello a"},
	"Server": {"a0", "a1", "a2"},
	"Client": {"a+b"},
	"Bidi":   {"got a", "got b"},
}

func TestCalls(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{CompressMinBytes: -1}))
	eachCall(t, func(t *testing.T, w way, method string) {
		header := http.Header{"X-In": {"1", "2"}, "In-Bin": {"AP8"}}
		got := shapes[method](t.Context(), w.client(t, server.URL, method), header, []string{"a", "b"})
		if got.err != nil || !slices.Equal(got.texts, wants[method]) {
			t.Fatalf("got %q, error %v, want %q", got.texts, got.err, wants[method])
		}
		checkMetadata(t, got, w.protocol)
	})
}

func checkMetadata(t *testing.T, got outcome, protocol string) {
	t.Helper()
	for _, tt := range []struct {
		header http.Header
		name   string
		want   string
	}{
		{got.header, "X-Out", "1, 2"},
		{got.header, "Out-Bin", "AP8"},
		{got.header, "X-Protocol", protocol},
		{got.trailer, "T-Out", "1, 2"},
		{got.trailer, "T-Bin", "AP8"},
	} {
		values := strings.Join(tt.header.Values(tt.name), ", ")
		if values == "" { // the error of a unary call has the trailers of Connect as headers
			values = strings.Join(tt.header.Values("Trailer-"+tt.name), ", ")
		}
		if values != tt.want {
			t.Errorf("%s is %q, want %q", tt.name, values, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{CompressMinBytes: -1}))
	eachCall(t, func(t *testing.T, w way, method string) {
		header := http.Header{"X-In": {"1", "2"}, "In-Bin": {"AP8"}}
		got := shapes[method](t.Context(), w.client(t, server.URL, method), header, []string{"fail"})
		var wrong *connect.Error
		if !errors.As(got.err, &wrong) || wrong.Code() != connect.CodeFailedPrecondition || wrong.Message() != "no ☺\n" {
			t.Fatalf("error %v", got.err)
		}
		details := wrong.Details()
		if len(details) != 1 || details[0].Type() != "web.Detail" || string(details[0].Bytes()) != "\x08\x07" {
			t.Errorf("details %v", details)
		}
		checkMetadata(t, got, w.protocol)
	})
}

func TestUnknownMethods(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	eachCall(t, func(t *testing.T, w way, method string) {
		got := shapes[method](t.Context(), w.client(t, server.URL, method+"s"), nil, []string{"a"})
		if code := connect.CodeOf(got.err); code != connect.CodeUnimplemented || !strings.Contains(got.err.Error(), `did you mean "`+method) {
			t.Errorf("error %v", got.err)
		}
	})
}
