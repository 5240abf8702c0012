package dynclient_test

import (
	"context"
	"encoding/json"
	"iter"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/dyngate/dyngate/dynclient"
)

const answersProto = `syntax = "proto3"; package answers; import "google/protobuf/empty.proto";
service S {
  rpc Unary(google.protobuf.Empty) returns (google.protobuf.Empty);
  rpc Up(stream google.protobuf.Empty) returns (google.protobuf.Empty);
}`

// TestAnswers calls methods with one response on a server that sends none or
// several.
func TestAnswers(t *testing.T) {
	for answers, want := range map[int]codes.Code{0: codes.Unimplemented, 1: codes.OK, 2: codes.Unimplemented} {
		srv := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			for range answers {
				if err := stream.SendMsg(new(emptypb.Empty)); err != nil {
					return err
				}
			}
			return nil
		}))
		l := listen(t)
		done := make(chan error, 1)
		go func() { done <- srv.Serve(l) }() // ends with Stop
		t.Cleanup(func() { srv.Stop(); <-done })
		files := dynclient.FS("files", fstest.MapFS{"s.proto": {Data: []byte(answersProto)}})
		c := dial(t, l.Addr().String(), dynclient.WithSources(files))
		for name, err := range answersCalls(t, c) {
			if got := status.Code(err); got != want {
				t.Errorf("%s, %d answers: %v, want %v", name, answers, err, want)
			}
		}
	}
}

// answersCalls makes a call in each way.
func answersCalls(t *testing.T, c *dynclient.Client) map[string]error {
	ctx, in := t.Context(), json.RawMessage(`{}`)
	var out json.RawMessage
	calls := map[string]error{"Invoke": c.Invoke(ctx, "answers.S/Unary", in, &out)}
	unary, err := dynclient.Unary[emptypb.Empty, emptypb.Empty](c, "answers.S/Unary")
	if err != nil {
		t.Fatal(err)
	}
	_, calls["Unary"] = unary(ctx, new(emptypb.Empty))
	up, err := dynclient.ClientStream[emptypb.Empty, emptypb.Empty](c, "answers.S/Up")
	if err != nil {
		t.Fatal(err)
	}
	_, calls["ClientStream"] = up(ctx, iter.Seq2[*emptypb.Empty, error](func(yield func(*emptypb.Empty, error) bool) {
		yield(new(emptypb.Empty), nil)
	}))
	for _, method := range []string{"answers.S/Unary", "answers.S/Up"} {
		calls["Stream of "+method] = streamOnce(ctx, c, method)
	}
	return calls
}

func streamOnce(ctx context.Context, c *dynclient.Client, method string) error {
	s, err := c.Stream(ctx, method)
	if err != nil {
		return err
	}
	defer s.Close()
	_ = s.Send(json.RawMessage(`{}`))
	s.CloseSend()
	var out json.RawMessage
	return s.Recv(&out)
}
