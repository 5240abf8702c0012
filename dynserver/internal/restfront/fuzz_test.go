package restfront

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
)

// FuzzRequest compares the message that a request becomes with one that is built by
// reflection and protojson, field by field: first the query, then the body, then the
// path.
func FuzzRequest(f *testing.F) {
	for _, query := range []string{
		"", "text=a&number=5", "inner.count=3&inner.inner.name=x", "texts=a&texts=b", "labels[a]=1&labels[b]=2", "kind=SOME", "kind=1", "flag=true",
		"left=a", "right.count=1", "left=a&right.count=1", "number=1&number=2", "text=%41+b", "time=2020-01-01T00:00:00Z", "inner.list=x", "update_mask=a,b",
		"data=AQI", "nothing=1", "inner=1", "big=9007199254740993", "number=0", "text=", "&&", "=a", "wrapped=a", "inner.name=%zz",
	} {
		for kind := range byte(5) {
			f.Add(kind, query, `{"name":"body","count":1,"list":[{"name":"x"}]}`, "path")
		}
	}
	f.Add(byte(2), "", `{"text":"a","number":7,"left":"x"}`, "p")
	f.Add(byte(2), "", `{"right":{"name":"x"},"inner":{"name":"y"}}`, "p%2Fq")
	f.Add(byte(4), "", "", "0")
	f.Add(byte(4), "number=5", "", "-1")
	var got []byte
	front := newTest(f, Options{KeepUpdateMask: true}, map[string]handlers.Implementation{"Echo": raw(func(_ context.Context, call handlers.Call) error {
		data, err := call.Recv()
		if err != nil {
			return err
		}
		got = data.Materialize()
		return call.Send(httpcall.Message(nil, pool))
	})})
	route := front.current.Load().Route("/test.Svc/Echo")
	oracle := slow{md: route.Method.Input(), types: route.Method.Types}
	f.Fuzz(func(t *testing.T, kind byte, query, body, path string) {
		if strings.ContainsAny(query, "#\x00\r\n \x7f") || strings.Contains(query, "value") || strings.Contains(query, "struct") || strings.Contains(query, "any") || path == "" {
			t.Skip()
		}
		verb, target, part, variable := "GET", "/v1/echo", "", ""
		switch kind % 5 {
		case 1:
			target, variable = "/v1/echo/"+url.PathEscape(path), "text"
		case 2:
			verb, target, part, variable = "POST", "/v1/whole/"+url.PathEscape(path), "*", "text"
		case 3:
			verb, target, part, variable = "POST", "/v1/inner/"+url.PathEscape(path), "inner", "inner.name"
		case 4:
			target, variable, path = "/v1/numbers/"+url.PathEscape(path)+"/things/a", "number", path+"|things/a"
		}
		r, err := http.NewRequestWithContext(t.Context(), verb, "http://x"+target+"?"+query, strings.NewReader(""))
		if err != nil {
			t.Skip()
		}
		if part == "" {
			body = ""
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		got = nil
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		if w.Code == http.StatusNotFound || w.Code == http.StatusMethodNotAllowed { // a path such as a/..
			t.Skip()
		}
		want, err := oracle.build(r.URL.RawQuery, part, body, variable, path)
		if (err == nil) != (w.Code == http.StatusOK) || err != nil && w.Code != http.StatusBadRequest {
			t.Fatalf("%s %s %q: %d %s, want %v, %v", verb, r.URL, body, w.Code, w.Body, want, err)
		}
		if err != nil {
			return
		}
		message := dynamicpb.NewMessage(oracle.md)
		if err := proto.Unmarshal(got, message); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(message, want) {
			t.Fatalf("%s %s %q:\ngot  %v\nwant %v", verb, r.URL, body, message, want)
		}
	})
}

var errOracle = errors.New("refused by the oracle")

// slow builds requests by reflection.
type slow struct {
	md    protoreflect.MessageDescriptor
	types handlers.Types
}

func (o slow) build(query, part, body, variable, path string) (*dynamicpb.Message, error) {
	out := dynamicpb.NewMessage(o.md)
	seen := make(map[string]bool)
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		if part == "*" {
			return nil, errOracle
		}
		if err := o.set(out, name, value, part, seen); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(body) != "" || body != "" {
		document := body
		if part == "inner" {
			if !json.Valid([]byte(body)) {
				return nil, errOracle
			}
			document = `{"inner":` + body + "}"
		}
		in := dynamicpb.NewMessage(o.md)
		if err := (protojson.UnmarshalOptions{Resolver: o.types}).Unmarshal([]byte(document), in); err != nil {
			return nil, err
		}
		proto.Merge(out, in)
	}
	if variable == "number" {
		number, rest, _ := strings.Cut(path, "|")
		if err := o.replace(out, "inner.name", rest); err != nil {
			return nil, err
		}
		path = number
	}
	if variable != "" {
		return out, o.replace(out, variable, path)
	}
	return out, nil
}

// set sets a field by the name of a parameter.
func (o slow) set(out *dynamicpb.Message, name, text, part string, seen map[string]bool) error {
	document, key, fd, err := o.document(name, text, seen)
	if err != nil {
		return err
	}
	if part != "" && strings.HasPrefix(key, "."+part) && (len(key) == len(part)+1 || key[len(part)+1] == '.') {
		return errOracle
	}
	if !fd.IsList() && seen[key] {
		return errOracle
	}
	seen[key] = true
	in := dynamicpb.NewMessage(o.md)
	if err := (protojson.UnmarshalOptions{Resolver: o.types}).Unmarshal([]byte(document), in); err != nil {
		return err
	}
	proto.Merge(out, in)
	return nil
}

// document returns the JSON of a message with one parameter, and a key for what it
// sets.
func (o slow) document(name, text string, seen map[string]bool) (document, key string, fd protoreflect.FieldDescriptor, err error) {
	if !utf8.ValidString(name) || !utf8.ValidString(text) {
		return "", "", nil, errOracle
	}
	md, closing := o.md, ""
	for {
		segment, rest, more := name, "", false
		if i := strings.IndexAny(name, ".["); i >= 0 && name[i] == '.' {
			segment, rest, more = name[:i], name[i+1:], true
		} else if i >= 0 && strings.HasSuffix(name, "]") {
			segment, rest = name[:i], name[i+1:len(name)-1]
		}
		if fd = md.Fields().ByTextName(segment); fd == nil {
			fd = md.Fields().ByJSONName(segment)
		}
		if fd == nil || fd.IsMap() != (segment != name && !more) {
			return "", "", nil, errOracle
		}
		key += "." + string(fd.Name())
		if oneof := fd.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
			at := key[:len(key)-len(fd.Name())] + "(" + string(oneof.Name()) + ")"
			for other := range seen {
				if strings.HasPrefix(other, at) && other != at+string(fd.Name()) {
					return "", "", nil, errOracle
				}
			}
			seen[at+string(fd.Name())] = true
		}
		document += `{"` + fd.JSONName() + `":`
		closing += "}"
		if !more {
			if fd.IsMap() {
				quoted, _ := json.Marshal(rest)
				document, closing, key = document+"{"+string(quoted)+":", "}"+closing, key+"["+rest
				return document + o.value(fd.MapValue(), text) + closing, key, fd, nil
			}
			value := o.value(fd, text)
			if fd.IsList() {
				value = "[" + value + "]"
			}
			return document + value + closing, key, fd, nil
		}
		if fd.Message() == nil || fd.IsList() || strings.HasPrefix(string(fd.Message().FullName()), "google.") {
			return "", "", nil, errOracle
		}
		md, name = fd.Message(), rest
	}
}

// value returns the JSON of a parameter's text.
func (o slow) value(fd protoreflect.FieldDescriptor, text string) string {
	quoted, _ := json.Marshal(text)
	switch {
	case fd.Message() != nil && !strings.HasPrefix(string(fd.Message().FullName()), "google."):
		return "not JSON"
	case fd.Kind() == protoreflect.BoolKind && (text == "true" || text == "false"):
		return text
	case fd.Kind() == protoreflect.EnumKind && text != "" && strings.Trim(text, "-0123456789") == "" && json.Valid([]byte(text)):
		return text
	}
	return string(quoted)
}

// replace sets a field by the name of a variable, also to zero.
func (o slow) replace(out *dynamicpb.Message, name, text string) error {
	document, _, _, err := o.document(name, text, make(map[string]bool))
	if err != nil {
		return err
	}
	in := dynamicpb.NewMessage(o.md)
	if err := protojson.Unmarshal([]byte(document), in); err != nil {
		return err
	}
	fields := strings.Split(name, ".")
	message := out.ProtoReflect()
	for _, field := range fields[:len(fields)-1] {
		message = message.Mutable(message.Descriptor().Fields().ByName(protoreflect.Name(field))).Message()
	}
	message.Clear(message.Descriptor().Fields().ByName(protoreflect.Name(fields[len(fields)-1])))
	proto.Merge(out, in)
	return nil
}
