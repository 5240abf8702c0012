package handlers

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/codec"
)

// TestResponseErrorNamesTheField checks that the caller learns which field of a
// response is wrong, and none of its values, and the log everything.
func TestResponseErrorNamesTheField(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a field":        {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Item", Path: "price.units", Detail: "hunter2"}, "cannot encode the response: shop.Item, field price.units"},
		"a map's key":    {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Order", Path: `items["hunter2]\"x"].tags[3]`, Detail: "d"}, "cannot encode the response: shop.Order, field items[].tags[]"},
		"a long key":     {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Order", Path: `items["hunter2"...].x`, Detail: "d"}, "cannot encode the response: shop.Order, field items[].x"},
		"other keys":     {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Order", Path: `a[-42].b[true].c`, Detail: "d"}, "cannot encode the response: shop.Order, field a[].b[].c"},
		"an extension":   {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Order", Path: `[shop.ext].x`, Detail: "hunter2"}, "cannot encode the response: shop.Order, field [shop.ext].x"},
		"missing fields": {&codec.RequiredError{Message: "shop.Order", Paths: []string{`items["hunter2"].sku`, "id"}}, "cannot encode the response: shop.Order lacks the required items[].sku, id"},
		"no field":       {&codec.Error{Kind: codec.ErrUnencodable, Message: "shop.Item", Detail: "hunter2"}, "internal error"},
		"another error":  {errors.New("hunter2"), "internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			guarded := Guard(slog.New(slog.NewTextHandler(&log, nil)))(HandlerFunc(func(context.Context, Call) error { return &responseError{c.err} }))
			err := guarded.ServeRPC(t.Context(), &fakeCall{method: testMethod("pkg.Service/Method", false, false)})
			if st := status.Convert(err); st.Code() != codes.Internal || st.Message() != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			if !strings.Contains(log.String(), "handler failed") || !strings.Contains(log.String(), "cannot encode the response") {
				t.Errorf("the log has %s", &log)
			}
		})
	}
}
