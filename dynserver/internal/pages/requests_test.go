package pages

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/mem"

	"github.com/dyngate/dyngate/dynserver/internal/restfront"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/describe"
	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/protos"
)

// TestGeneratedRequests makes requests that fit the documents, and sends them to the
// server, which must accept all of them and call the right method.
func TestGeneratedRequests(t *testing.T) {
	for name, fsys := range map[string]fs.FS{
		"library": os.DirFS("../../../internal/openapi/testdata"), "protos": protos.FS,
	} {
		t.Run(name, func(t *testing.T) {
			var called sync.Map // names of methods
			current := newCurrent(t, fsys, answerExamples(&called))
			front := restfront.New(current, restfront.Options{Log: slog.New(slog.DiscardHandler)})
			var doc map[string]any
			if err := json.NewDecoder(get(t, New(current, openapi.Options{}), "GET", "/openapi.json").Body).Decode(&doc); err != nil {
				t.Fatal(err)
			}
			g := &generator{Rand: rand.New(rand.NewPCG(1, 2)), doc: doc}
			g.eachOperation(func(verb, path string, op map[string]any) {
				for range 50 {
					r := g.request(t.Context(), verb, path, op)
					sent, _ := r.Context().Value(bodyKey{}).([]byte)
					w := httptest.NewRecorder()
					called.Clear()
					front.ServeHTTP(w, r)
					method, _, _ := strings.Cut(op["operationId"].(string), "-")
					_, right := called.Load(method)
					if responses := op["responses"].(map[string]any); responses[strconv.Itoa(w.Code)] == nil || !right {
						t.Fatalf("%s %s\n%s\nof %s (called: %t) has the answer %d %s", r.Method, r.URL, sent, method, right, w.Code, w.Body)
					}
				}
			})
		})
	}
}

// answerExamples answers every method with an example of its response.
func answerExamples(called *sync.Map) handlers.Implementation {
	return handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		types := m.Types.(*schema.Types)
		example, err := describe.Example(m.Output(), types)
		if err != nil {
			return nil, err
		}
		answer, err := types.JSONPlans().Plan(m.Output()).AppendWire(nil, example, transcode.DecodeOptions{})
		if err != nil {
			return nil, err
		}
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			called.Store(string(m.FullName()), true)
			for {
				if _, err := call.Recv(); err == io.EOF {
					break
				} else if err != nil {
					return err
				}
			}
			return call.Send(mem.BufferSlice{mem.SliceBuffer(answer)})
		}), nil
	})
}

// generator makes requests that fit a document.
type generator struct {
	*rand.Rand
	doc   map[string]any
	depth int
}

type bodyKey struct{}

func (g *generator) eachOperation(visit func(verb, path string, op map[string]any)) {
	for path, item := range g.doc["paths"].(map[string]any) {
		for key, value := range item.(map[string]any) {
			if key != "x-operations" {
				visit(strings.ToUpper(key), path, value.(map[string]any))
				continue
			}
			for _, op := range value.([]any) {
				visit(op.(map[string]any)["x-verb"].(string), path, op.(map[string]any))
			}
		}
	}
}

func (g *generator) request(ctx context.Context, verb, path string, op map[string]any) *http.Request {
	var query []string
	params, _ := op["parameters"].([]any)
	for _, p := range params {
		p := p.(map[string]any)
		name := p["name"].(string)
		switch {
		case p["x-multi-segment"] != nil:
			path = strings.ReplaceAll(path, "{"+name+"}", "several/seg%20ments")
		case p["in"] == "path":
			text := fmt.Sprint(g.value(p["schema"]))
			if text == "" {
				text = "/" // a value of one segment may be any text
			}
			path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(text))
		case p["required"] == true || g.IntN(2) == 0:
			query = append(query, g.param(name, p)...)
		}
	}
	g.Shuffle(len(query), func(i, j int) { query[i], query[j] = query[j], query[i] })
	target := path
	if len(query) > 0 {
		target += "?" + strings.Join(query, "&")
	}
	var body []byte
	contentType := ""
	if b, ok := op["requestBody"].(map[string]any); ok {
		contentType, body = g.body(b["content"].(map[string]any))
	}
	r := httptest.NewRequestWithContext(context.WithValue(ctx, bodyKey{}, body), verb, target, bytes.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// param returns a query parameter, or several for a list or a map.
func (g *generator) param(name string, p map[string]any) (pairs []string) {
	add := func(name string, value any) {
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(plain(value)))
	}
	if content, ok := p["content"].(map[string]any); ok {
		text, _ := json.Marshal(g.value(content["application/json"].(map[string]any)["schema"]))
		add(name, json.Number(text))
		return pairs
	}
	switch value := g.value(p["schema"]).(type) {
	case []any:
		for _, e := range value {
			add(name, e)
		}
	case map[string]any:
		for key, e := range value {
			add(name+"["+key+"]", e)
		}
	default:
		add(name, value)
	}
	return pairs
}

// plain returns a value as it is in a URL.
func plain(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return string(value)
	}
	b, _ := json.Marshal(value)
	return string(b)
}

func (g *generator) body(content map[string]any) (contentType string, body []byte) {
	types := make([]string, 0, len(content))
	for contentType := range content {
		types = append(types, contentType)
	}
	slices.Sort(types)
	contentType = types[g.IntN(len(types))]
	schema, ok := content[contentType].(map[string]any)["schema"]
	if !ok { // any content
		return "image/png", []byte{0x89, 'P', 'N', 'G', 0}
	}
	value := g.value(schema)
	if contentType == "application/x-ndjson" {
		for _, e := range value.([]any) {
			line, _ := json.Marshal(e)
			body = append(append(body, line...), '\n')
		}
		return contentType, body
	}
	body, _ = json.Marshal(value)
	return contentType, body
}

// value returns a value that fits a schema.
func (g *generator) value(schema any) any {
	s, _ := schema.(map[string]any)
	if s == nil {
		return map[string]any{"any": []any{1, nil, "x"}}
	}
	if all, ok := s["enum"].([]any); ok {
		return all[g.IntN(len(all))]
	}
	if v, ok := s["const"]; ok {
		return v
	}
	if ref, ok := s["$ref"].(string); ok {
		return g.value(g.resolve(ref))
	}
	if all, ok := s["anyOf"].([]any); ok && s["type"] == nil {
		return g.value(all[g.IntN(len(all))])
	}
	if examples, ok := s["examples"].([]any); ok {
		return examples[g.IntN(len(examples))]
	}
	kind, _ := s["type"].(string)
	if kinds, ok := s["type"].([]any); ok {
		kind = kinds[g.IntN(len(kinds))].(string)
	}
	switch kind {
	case "boolean":
		return g.IntN(2) == 0
	case "null":
		return nil
	case "integer":
		return g.integer(s)
	case "number":
		return json.Number("-1.25e-3")
	case "string":
		return g.text(s)
	case "array":
		list := []any{}
		for range 1 + g.IntN(2) {
			list = append(list, g.value(s["items"]))
		}
		return list
	case "object":
		return g.object(s)
	}
	return map[string]any{"any": []any{1, nil, "x"}}
}

func (g *generator) resolve(ref string) any {
	var at any = g.doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[part]
	}
	return at
}

func (g *generator) integer(s map[string]any) any {
	n := map[any][]string{
		"int32": {"0", "-2147483648", "2147483647"}, "uint32": {"0", "4294967295"},
		"int64": {"0", "-9223372036854775808", "9223372036854775807"}, "uint64": {"0", "18446744073709551615"},
	}[s["format"]]
	return json.Number(n[g.IntN(len(n))])
}

var byPattern = map[any]string{
	"^-?[0-9]+$": "-12", "^[0-9]+$": "12", "^(NaN|-?Infinity)$": "-Infinity",
}

func (g *generator) text(s map[string]any) any {
	if text, ok := byPattern[s["pattern"]]; ok {
		return text
	}
	switch {
	case s["format"] == "date-time":
		return "2024-02-29T23:59:59.123456789+01:00"
	case s["contentEncoding"] == "base64":
		return base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(g.Int())))
	}
	texts := []string{"", "x", "a b/c?d=e&f#g", "é😀", "%2F", "{}", `"`}
	return texts[g.IntN(len(texts))]
}

func (g *generator) object(s map[string]any) any {
	g.depth++
	defer func() { g.depth-- }()
	out := make(map[string]any)
	required, _ := s["required"].([]any)
	properties, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || g.depth < 4 && g.IntN(2) == 0 {
			out[name] = g.value(properties[name])
		}
	}
	if s["oneOf"] != nil {
		g.choose(out, s, properties)
	}
	all, _ := s["allOf"].([]any)
	for _, rule := range all {
		if rule := rule.(map[string]any); rule["oneOf"] != nil {
			g.choose(out, rule, properties)
		}
	}
	if out["@type"] != nil {
		return map[string]any{} // a google.protobuf.Any of no type
	}
	if inner, ok := s["additionalProperties"].(map[string]any); ok {
		key := "key"
		if names, ok := s["propertyNames"].(map[string]any); ok {
			names["type"] = "string"
			key = g.value(names).(string)
		}
		out[key] = g.value(inner)
	}
	return out
}

// choose keeps one of the members of a oneof, or none.
func (g *generator) choose(out, s, properties map[string]any) {
	choices := s["oneOf"].([]any)
	chosen := choices[g.IntN(len(choices))].(map[string]any)
	for _, choice := range choices {
		if names, ok := choice.(map[string]any)["required"].([]any); ok {
			delete(out, names[0].(string))
		}
	}
	if names, ok := chosen["required"].([]any); ok {
		name := names[0].(string)
		out[name] = g.value(properties[name])
	}
}
