package client

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

func wildClient(t *testing.T, s *rig.Server) *dynclient.Client {
	t.Helper()
	c, err := dynclient.Dial(rig.Context(t), s.Addr)
	rig.Must(t, err)
	t.Cleanup(func() { rig.Must(t, c.Close()) })
	return c
}

// TestHostileDynamicAnswers answers every kind of call with lab.WildMessages.
func TestHostileDynamicAnswers(t *testing.T) {
	t.Parallel()
	s := lab.StartWild(t)
	c := wildClient(t, s)
	type question struct{ Name string }
	stub, err := dynclient.Unary[question, dynclient.Dynamic](c, "wild.Wild/Ask")
	rig.Must(t, err)
	stream, err := dynclient.ServerStream[question, dynclient.Dynamic](c, "wild.Wild/AskAll")
	rig.Must(t, err)
	ways := map[string]func(name string) ([]byte, error){
		"JSON": func(name string) (out []byte, err error) {
			var text json.RawMessage
			err = c.Invoke(rig.Context(t), "wild.Wild/Ask", map[string]any{"name": name}, &text)
			return text, err
		},
		"map": func(name string) ([]byte, error) {
			var fields map[string]any
			if err := c.Invoke(rig.Context(t), "wild.Wild/Ask", map[string]any{"name": name}, &fields); err != nil {
				return nil, err
			}
			return json.Marshal(fields)
		},
		"Dynamic": func(name string) ([]byte, error) {
			var m dynclient.Dynamic
			if err := c.Invoke(rig.Context(t), "wild.Wild/Ask", map[string]any{"name": name}, &m); err != nil {
				return nil, err
			}
			return protojson.Marshal(m.Interface())
		},
		"stub": func(name string) ([]byte, error) {
			m, err := stub(rig.Context(t), &question{name})
			if err != nil {
				return nil, err
			}
			return protojson.Marshal(m.Interface())
		},
		"stream": func(name string) (text []byte, err error) {
			for m, err := range stream(rig.Context(t), &question{name}) {
				if err != nil {
					return nil, err
				}
				text, err = protojson.Marshal(m.Interface())
				if err != nil {
					return nil, err
				}
			}
			return text, nil
		},
	}
	for _, w := range lab.WildMessages {
		for way, ask := range ways {
			t.Run(w.Name+", "+way, func(t *testing.T) {
				got, err := ask(w.Name)
				if w.JSON == "" {
					rig.WantCode(t, err, codes.Internal)
					return
				}
				rig.Must(t, err)
				rig.WantJSON(t, string(got), w.JSON)
			})
		}
	}
}

// TestHostileAnswersOnTheCommandLine prints them in every format.
func TestHostileAnswersOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := lab.StartWild(t)
	for _, w := range lab.WildMessages {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			request := fmt.Sprintf(`{"name": %q}`, w.Name)
			for _, format := range []string{"json", "yaml", "text", "ndjson"} {
				r := rig.Run(t, "call", s.Addr, "wild.Wild/Ask", "-d", request, "-o", format)
				if want := 0; (r.Status == want) != (w.JSON != "") {
					t.Errorf("%s: exit status %d\n%s%s", format, r.Status, r.Stdout, r.Stderr)
				}
				if format == "json" && w.JSON != "" {
					rig.WantJSON(t, r.Stdout, w.JSON)
				}
			}
			r := rig.Run(t, "call", s.Addr, "wild.Wild/AskAny", "-d", request)
			if r.Status != 0 || !strings.Contains(r.Stdout, "x/wild.Msg") {
				t.Errorf("in an Any: exit status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
			}
		})
	}
}
