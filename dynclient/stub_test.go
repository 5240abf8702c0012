package dynclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
)

type (
	helloRequest struct{ Name string }
	helloReply   struct{ Message string }
	point        struct{ Latitude, Longitude int32 }
	rectangle    struct{ Lo, Hi point }
	feature      struct {
		Name     string
		Location point
	}
	summary struct{ PointCount, FeatureCount, Distance, ElapsedTime int32 }
	note    struct {
		Location point
		Message  string
	}
)

func TestUnary(t *testing.T) {
	c := dial(t, serveExamples(t))
	say, err := dynclient.Unary[helloRequest, helloReply](c, "tutorial.Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	reply, err := say(t.Context(), &helloRequest{Name: "Ada"})
	if err != nil || !strings.Contains(reply.Message, "Ada") {
		t.Errorf("got %v, %v", reply, err)
	}
	_, err = say(t.Context(), nil)
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("a nil request: %v", err)
	}
}

func TestDynamicMessages(t *testing.T) {
	c := dial(t, serveExamples(t))
	say, err := dynclient.Unary[dynclient.Dynamic, dynclient.Dynamic](c, "Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Schema().Method(t.Context(), "/Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	in := m.NewRequest()
	in.Set(in.Descriptor().Fields().ByName("name"), protoreflect.ValueOfString("Ada"))
	out, err := say(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Get(out.Descriptor().Fields().ByName("message")).String(); !strings.Contains(got, "Ada") {
		t.Errorf("got %q", got)
	}
}

func TestServerStream(t *testing.T) {
	c := dial(t, serveExamples(t))
	list, err := dynclient.ServerStream[rectangle, feature](c, "RouteGuide/ListFeature")
	if err != nil {
		t.Fatal(err)
	}
	area := &rectangle{Lo: point{400000000, -750000000}, Hi: point{420000000, -730000000}}
	features := list(t.Context(), area)
	for range 2 { // each is a call
		n := 0
		for f, err := range features {
			if err != nil {
				t.Fatal(err)
			}
			if f.Name != "" {
				n++
			}
		}
		if n < 2 {
			t.Errorf("%d features", n)
		}
	}
	for range features {
		break // cancels the call; goleak checks that its goroutines end
	}
}

func TestClientStream(t *testing.T) {
	c := dial(t, serveExamples(t))
	record, err := dynclient.ClientStream[point, summary](c, "RouteGuide/RecordRoute")
	if err != nil {
		t.Fatal(err)
	}
	got, err := record(t.Context(), func(yield func(*point, error) bool) {
		_ = yield(&point{1, 2}, nil) && yield(&point{3, 4}, nil) && yield(&point{5, 6}, nil)
	})
	if err != nil || got.PointCount != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	mine := errors.New("mine")
	_, err = record(t.Context(), func(yield func(*point, error) bool) {
		_ = yield(&point{1, 2}, nil) && yield(nil, mine)
	})
	if err != mine {
		t.Errorf("got %v, want the sequence's own error", err)
	}
}

func TestBidi(t *testing.T) {
	c := dial(t, serveExamples(t))
	chat, err := dynclient.Bidi[note, note](c, "RouteGuide/RouteChat")
	if err != nil {
		t.Fatal(err)
	}
	// The second note is sent after the first was received.
	where := point{7, 7}
	echoed := make(chan struct{})
	notes := func(yield func(*note, error) bool) {
		if !yield(&note{where, "first"}, nil) {
			return
		}
		_ = yield(&note{where, "second"}, nil)
		<-echoed
		_ = yield(&note{where, "third"}, nil)
	}
	var got []string
	for n, err := range chat(t.Context(), notes) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n.Message)
		if len(got) == 1 {
			close(echoed)
		}
	}
	if len(got) < 2 || !slices.Contains(got, "second") {
		t.Errorf("got %q", got)
	}

	mine := errors.New("mine")
	var last error
	for _, err := range chat(t.Context(), func(yield func(*note, error) bool) { yield(nil, mine) }) {
		last = err
	}
	if last != mine {
		t.Errorf("got %v, want the sequence's own error", last)
	}
}

func TestStubsAreChecked(t *testing.T) {
	c := dial(t, serveExamples(t))
	type wrong struct {
		Name int32
		Nick string
	}
	for name, tt := range map[string]struct {
		make func() error
		want []string
	}{
		"types": {
			func() error {
				_, err := dynclient.Unary[wrong, helloReply](c, "tutorial.Greeter/SayHello")
				return err
			},
			[]string{"tutorial.Greeter/SayHello", "Name", "Nick", "string"},
		},
		"shape": {
			func() error {
				_, err := dynclient.Unary[rectangle, feature](c, "RouteGuide/ListFeature")
				return err
			},
			[]string{"server-streaming", "dynclient.ServerStream"},
		},
		"method": {
			func() error {
				_, err := dynclient.Unary[helloRequest, helloReply](c, "tutorial.Greeter/SayHelo")
				return err
			},
			[]string{`unknown method "tutorial.Greeter/SayHelo"`, "tutorial.Greeter/SayHello"},
		},
		"service": {
			func() error {
				_, err := dynclient.Unary[helloRequest, helloReply](c, "tutoral.Greeter/SayHello")
				return err
			},
			[]string{"tutorial.Greeter/SayHello"},
		},
		"no path": {
			func() error {
				_, err := dynclient.Unary[helloRequest, helloReply](c, "SayHello")
				return err
			},
			[]string{"pkg.Service/Method"},
		},
	} {
		err := tt.make()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

func TestErrorsNameMethodAndTarget(t *testing.T) {
	addr := serveExamples(t)
	c := dial(t, addr)
	say, err := dynclient.Unary[dynclient.Dynamic, helloReply](c, "tutorial.Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Schema().Method(t.Context(), "tutorial.Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	_, err = say(t.Context(), m.NewRequest()) // a required field is missing
	var e *dynclient.Error
	if !errors.As(err, &e) || e.Code() != codes.InvalidArgument || e.Method != "tutorial.Greeter/SayHello" || e.Target != addr {
		t.Fatalf("got %#v", err)
	}
	if want := "tutorial.Greeter/SayHello at " + addr + ": INVALID_ARGUMENT: "; !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	if st, ok := status.FromError(fmt.Errorf("wrapped: %w", err)); !ok || st.Code() != codes.InvalidArgument {
		t.Errorf("the status is %v", st)
	}
}

func TestCallOptions(t *testing.T) {
	c := dial(t, serveExamples(t))
	say, err := dynclient.Unary[helloRequest, helloReply](c, "Greeter/SayHello")
	if err != nil {
		t.Fatal(err)
	}
	var header, trailer metadata.MD
	_, err = say(t.Context(), &helloRequest{Name: strings.Repeat("long ", 200)}, grpc.Header(&header), grpc.Trailer(&trailer),
		grpc.UseCompressor("gzip"), grpc.WaitForReady(true), dynclient.Timeout(time.Minute), dynclient.Metadata(metadata.Pairs("k", "v")))
	if err != nil || len(header) == 0 {
		t.Errorf("header %v, trailer %v, error %v", header, trailer, err)
	}
	task, err := dynclient.ServerStream[struct{}, dynclient.Dynamic](c, "Contact/getTask")
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, last = range task(t.Context(), &struct{}{}, dynclient.Timeout(50*time.Millisecond)) {
	}
	if status.Code(last) != codes.DeadlineExceeded {
		t.Errorf("after its time: %v", last)
	}
}

func TestDeadPeer(t *testing.T) {
	l := listen(t)
	addr := l.Addr().String()
	l.Close()
	c := dial(t, addr)
	_, err := dynclient.Unary[helloRequest, helloReply](c, "Greeter/SayHello")
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), addr) {
		t.Errorf("got %v", err)
	}
}
