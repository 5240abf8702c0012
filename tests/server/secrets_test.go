package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestErrorsKeepSecrets has handlers fail with errors that wrap a status in a text
// that callers must not see.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	leaks := func(err error) error { return &url.Error{Op: "Get", URL: "http://10.0.0.7/?token=" + secret, Err: err} }
	failures := map[string]struct {
		err  error
		want codes.Code
	}{
		"deadline":         {leaks(context.DeadlineExceeded), codes.DeadlineExceeded},
		"canceled":         {leaks(context.Canceled), codes.Canceled},
		"wrapped twice":    {fmt.Errorf("asking %s: %w", secret, leaks(context.DeadlineExceeded)), codes.DeadlineExceeded},
		"joined":           {errors.Join(errors.New(secret), context.Canceled), codes.Canceled},
		"no code":          {leaks(fs.ErrPermission), codes.Internal},
		"a status, around": {leaks(status.Error(codes.NotFound, "not here")), codes.NotFound},
	}
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Handlers = handlers.NewRegistry()
		fails := func(in *lab.Msg) error { return failures[in.Text].err }
		c.Handlers.Handle("lab.Lab/Echo", handlers.Unary(func(_ context.Context, in *lab.Msg) (*lab.Msg, error) { return nil, fails(in) }))
	})
	for name, test := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, name))
			if rig.WantCode(t, err, test.want); strings.Contains(fmt.Sprint(err), secret) || strings.Contains(fmt.Sprint(err), "10.0.0.7") {
				t.Errorf("the caller is told %v", err)
			}
		})
	}
}
