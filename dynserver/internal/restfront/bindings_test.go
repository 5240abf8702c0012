package restfront

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestBindings(t *testing.T) {
	f := newTest(t, Options{}, nil)
	for _, test := range []struct {
		name, request string
		code          int
		body          string
	}{
		{"variable", "GET /v1/echo/a%2Fb%20c", 200, `{"text":"a/b c"}`},
		{"typed and nested", "GET /v1/numbers/-7/things/x%2Fy", 200, `{"number":-7,"inner":{"name":"things/x%2Fy"}}`},
		{
			"wrong variable", "GET /v1/numbers/seven/things/x", 400,
			bad(`"parameter \"number\": expected int32, got the string \"seven\""`, `"number"`, `"expected int32, got the string \"seven\""`),
		},
		{
			"query", "GET /v1/echo?text=a+b&number=1&inner.name=n&inner.inner.count=2&texts=x&texts=y%26&labels[k]=3&kind=SOME&data=_-8=&flag=false", 200,
			`{"text":"a b","number":1,"inner":{"name":"n","inner":{"count":2}},"texts":["x","y&"],"labels":{"k":3},"kind":"SOME","data":"/+8=","flag":false}`,
		},
		{
			"query of well-known types", "GET /v1/echo?time=2020-01-02T03:04:05Z&duration=1.5s&updateMask=a,b.c&wrapped=w&value=7&struct[a]=true", 200,
			`{"time":"2020-01-02T03:04:05Z","duration":"1.500s","updateMask":"a,b.c","wrapped":"w","value":7,"struct":{"a":true}}`,
		},
		{"proto names", "GET /v1/echo?update_mask=a&inner.snake_case=s&kind=1", 200, `{"inner":{"snakeCase":"s"},"kind":"SOME","updateMask":"a"}`},
		{"empty pairs", "GET /v1/echo?&&text=a&", 200, `{"text":"a"}`},
		{"path beats query", "GET /v1/echo/path?text=query&number=1", 200, `{"text":"path","number":1}`},
		{"path beats query with its zero", "GET /v1/numbers/0/things/x?number=5", 200, `{"inner":{"name":"things/x"}}`},
		{"path beats body", "POST /v1/whole/path\n\n" + `{"text":"body","number":2}`, 200, `{"text":"path","number":2}`},
		{"path beats body field", "POST /v1/inner/path\n\n" + `{"name":"body","count":2}`, 200, `{"inner":{"name":"path","count":2}}`},
		{"body field and query", "POST /v1/inner/n?text=q\n\n" + `{"count":2}`, 200, `{"text":"q","inner":{"name":"n","count":2}}`},
		{"empty body", "POST /v1/whole/a", 200, `{"text":"a"}`},
		{"empty body of a field", "POST /v1/inner/a", 200, `{"inner":{"name":"a"}}`},
		{"null body of a field", "POST /v1/inner/a\n\nnull", 200, `{"inner":{"name":"a"}}`},
		{"list", "PUT /v1/texts\n\n" + `["a","b"]`, 200, `["a","b"]`},
		{"empty list", "PUT /v1/texts\n\n[]", 200, `[]`},
		{"map", "PUT /v1/labels\n\n" + `{"b":1,"a":2}`, 200, `{"a":2,"b":1}`},
		{"scalar", "PUT /v1/number\n\n7", 200, `7`},
		{"zero", "PUT /v1/number\n\n0", 200, `0`},
		{
			"error in a body field", "PUT /v1/texts\n\n" + `["a",1]`, 400,
			bad(`"the request body: [1]: expected string, got the number 1"`, `"/1"`, `"expected string, got the number 1"`),
		},
		{
			"query for the body field", "POST /v1/inner/a?inner.count=1\n\n{}", 400,
			bad(`"query parameter \"inner.count\": the body sets this field"`, `"inner.count"`, `"the body sets this field"`),
		},
		{
			"query with the whole body", "POST /v1/whole/a?number=1\n\n{}", 400,
			bad(`"query parameter \"number\": unknown: the body is the whole request, so there are no query parameters"`, `"number"`, `"unknown: the body is the whole request, so there are no query parameters"`),
		},
		{"repeated key", "GET /v1/echo?number=1&number=2", 400, bad(`"parameter \"number\": the parameter is set twice"`, `"number"`, `"the parameter is set twice"`)},
		{
			"repeated key, other name", "GET /v1/echo?text=a&updateMask=a&update_mask=b", 400,
			bad(`"parameter \"update_mask\": the parameter is set twice"`, `"update_mask"`, `"the parameter is set twice"`),
		},
		{
			"two of a oneof", "GET /v1/echo?left=a&right.name=b", 400,
			bad(`"parameter \"right.name\": only one field of the oneof test.All.choice can be set, and \"left\" already is"`, `"right.name"`, `"only one field of the oneof test.All.choice can be set, and \"left\" already is"`),
		},
		{"broken escape", "GET /v1/echo?text=%zz", 400, bad(`"query parameter \"text\": the value has an invalid escape"`, `"text"`, `"the value has an invalid escape"`)},
		{"a body that is not taken", "GET /v1/echo\n\n{}", 400, `{"code":3,"message":"this method takes no request body: use the path and query parameters"}`},
		{"delete", "DELETE /v1/echo/a", 200, `{"text":"a"}`},
		{"several segments and a verb", "POST /v1/any/a/b%2Fc:run\n\n{}", 200, `{"text":"a/b%2Fc"}`},
		{"unknown path", "GET /v2", 404, `{"code":5,"message":"no method is at GET /v2 (did you mean \"/old/{name}\"?)"}`},
		{"other verb", "PATCH /v1/number", 405, `{"code":12,"message":"no method is at PATCH /v1/number; use PUT"}`},
		{"proto2", "GET /old/a", 200, `{"name":"a"}`},
		{"proto2, nested", "POST /old/a\n\n{}", 400, bad(`"part.x: the required field is not set"`, `"/part/x"`, `"the required field is not set"`)},
		{"proto2, whole", "PUT /old/a\n\n" + `{"part":{"x":1}}`, 200, `{"name":"a","part":{"x":1}}`},
	} {
		t.Run(test.name, func(t *testing.T) { check(t, serve(t, f, test.request), test.code, test.body) })
	}
	if got := serve(t, f, "PATCH /v1/echo").Header().Get("Allow"); got != "GET, HEAD, OPTIONS" {
		t.Errorf("Allow: %s", got)
	}
	for header, request := range map[string]string{"Accept": "Content-Type: text/plain", "Accept-Encoding": "Content-Encoding: br"} {
		if w := serve(t, f, "POST /v1/whole/a\n"+request+"\n\n{}"); w.Code != 415 || w.Header().Get(header) == "" {
			t.Errorf("%s: %d %v", request, w.Code, w.Header())
		}
	}
	if w := serve(t, f, "HEAD /v1/echo?text=a"); w.Code != 200 {
		t.Errorf("HEAD: %d %s", w.Code, w.Body)
	}
}

func TestUnknown(t *testing.T) {
	strict, lenient := newTest(t, Options{}, nil), newTest(t, Options{IgnoreUnknownFields: true, IgnoreUnknownParams: true}, nil)
	for request, want := range map[string]string{
		"GET /v1/echo?txet=a&text=b":                      `{"text":"b"}`,
		"GET /v1/echo?inner.nmae=a":                       `{}`,
		"POST /v1/whole/a?x=1\n\n{}":                      `{"text":"a"}`,
		"POST /v1/whole/a\n\n" + `{"x":1,"kind":"OTHER"}`: `{"text":"a"}`,
		"GET /v1/echo\n\nanything":                        `{}`,
	} {
		if w := serve(t, strict, request); w.Code != 400 {
			t.Errorf("%q: %d %s", request, w.Code, w.Body)
		}
		check(t, serve(t, lenient, request), 200, want)
	}
	// What is known but wrong is an error all the same.
	if w := serve(t, lenient, "GET /v1/echo?number=x"); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w := serve(t, strict, "GET /v1/echo?txet=a")
	if !strings.Contains(w.Body.String(), `{"field":"txet","description":"test.All has no field \"txet\" (did you mean \"text\"`) {
		t.Error(w.Body)
	}
	w = serve(t, strict, "GET /v1/echo?%ff=a")
	if !strings.Contains(w.Body.String(), "{\"field\":\"\uFFFD\",\"description\":\"test.All has no field") {
		t.Error(w.Body)
	}
}

func TestUpdateMask(t *testing.T) {
	f := newTest(t, Options{}, nil)
	for body, want := range map[string]string{
		`{"name":"a","count":0}`:                          `"name,count"`,
		`{"inner":{"inner":{"snakeCase":"x"},"count":1}}`: `"inner.inner.snakeCase,inner.count"`,
		`{"list":[{"name":"a"}],"time":null,"inner":{}}`:  `"list,time,inner"`,
		`{"snake_case":""}`:                               `"snakeCase"`,
		`{"time":"2020-01-02T03:04:05Z"}`:                 `"time"`,
	} {
		w := serve(t, f, "PATCH /v1/inner\n\n"+body)
		if w.Code != 200 || !strings.HasSuffix(w.Body.String(), `"updateMask":`+want+"}") {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
	check(t, serve(t, f, "PATCH /v1/inner?updateMask=name\n\n"+`{"count":1}`), 200, `{"inner":{"count":1},"updateMask":"name"}`)
	check(t, serve(t, f, "PATCH /v1/inner?updateMask=\n\n"+`{"count":1}`), 200, `{"inner":{"count":1},"updateMask":"count"}`)
	check(t, serve(t, f, "PATCH /v1/inner\n\nnull"), 200, `{}`)
	check(t, serve(t, newTest(t, Options{KeepUpdateMask: true}, nil), "PATCH /v1/inner\n\n"+`{"count":1}`), 200, `{"inner":{"count":1}}`)
	check(t, serve(t, f, "POST /v1/inner/a\n\n"+`{"count":1}`), 200, `{"inner":{"name":"a","count":1}}`)
}

func TestHTTPBody(t *testing.T) {
	f := newTest(t, Options{}, nil)
	w := serve(t, f, "POST /v1/raw\nContent-Type: image/x-test\n\nany \x00 bytes")
	check(t, w, 200, "any \x00 bytes")
	if h := w.Header(); h.Get("Content-Type") != "image/x-test" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("header %v", h)
	}
	check(t, serve(t, f, "POST /v1/files/n?title=t\nContent-Type: application/json\n\n{not JSON"), 200, "{not JSON")
	w = serve(t, f, "POST /v1/raw")
	check(t, w, 200, "")
	if got := w.Header().Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("content type %q", got)
	}
	w = serve(t, f, "POST /test.Svc/File\n\n"+`{"name":"n","file":{"contentType":"text/plain","data":"YQ=="}}`)
	check(t, w, 200, `{"name":"n","file":{"contentType":"text/plain","data":"YQ=="}}`)
}

func TestForms(t *testing.T) {
	f := newTest(t, Options{}, nil)
	const urlencodedForm = "\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\n\n"
	check(t, serve(t, f, "POST /v1/whole/a"+urlencodedForm+"number=1&texts=x&texts=y+z&inner.name=%C3%A4"), 200,
		`{"text":"a","number":1,"inner":{"name":"ä"},"texts":["x","y z"]}`)
	check(t, serve(t, f, "POST /v1/inner/a?text=q"+urlencodedForm+"count=1"), 200, `{"text":"q","inner":{"name":"a","count":1}}`)
	check(t, serve(t, f, "POST /v1/whole/a"+urlencodedForm+"number=1&number=2"), 400,
		bad(`"parameter \"number\": the parameter is set twice"`, `"number"`, `"the parameter is set twice"`))
	const multipartForm = "\nContent-Type: multipart/form-data; boundary=XX\n\n"
	body := strings.ReplaceAll(`--XX
Content-Disposition: form-data; name="title"

A title
--XX
Content-Disposition: form-data; name="file"; filename="a.txt"
Content-Type: text/plain

content
--XX
Content-Disposition: form-data; name="photo"; filename="a.jpg"
Content-Type: image/jpeg

`+"\xff\xd8"+`
--XX
Content-Disposition: form-data; name="tags"

1
--XX
Content-Disposition: form-data; name="tags"

2
--XX--
`, "\n", "\r\n")
	check(t, serve(t, f, "POST /v1/form"+multipartForm+body), 200,
		`{"file":{"contentType":"text/plain","data":"Y29udGVudA=="},"photo":"/9g=","title":"A title","tags":[1,2]}`)
	for n := range len(body) - 4 {
		if w := serve(t, f, "POST /v1/form"+multipartForm+body[:n+1]); w.Code != 400 {
			t.Errorf("%d bytes of the form: %d %s", n+1, w.Code, w.Body)
		}
	}
	if w := serve(t, newTest(t, Options{MaxBodyBytes: 300}, nil), "POST /v1/form"+multipartForm+body); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEncodedRequests(t *testing.T) {
	f := newTest(t, Options{MaxBodyBytes: 1000}, nil)
	text := []byte(`{"text":"` + strings.Repeat("a", 900) + `"}`)
	bomb := []byte(`{"text":"` + strings.Repeat("a", 1<<20) + `"}`)
	pack := map[string]func([]byte) string{
		"gzip": func(b []byte) string {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			_, _ = w.Write(b)
			_ = w.Close()
			return out.String()
		},
		"zstd": func(b []byte) string {
			w, _ := zstd.NewWriter(nil)
			return string(w.EncodeAll(b, nil))
		},
		"identity": func(b []byte) string { return string(b) },
	}
	for encoding, f2 := range pack {
		post := "POST /test.Svc/Echo\nContent-Encoding: " + encoding + "\n\n"
		for range 3 { // decompressors are used again
			check(t, serve(t, f, post+f2(text)), 200, string(text))
			check(t, serve(t, f, post+f2(bomb)), 413, `{"code":8,"message":"the request body has more than 1000 bytes"}`)
			if encoding != "identity" {
				check(t, serve(t, f, post+f2(text)[:20]), 400, `{"code":3,"message":"the request body: it is not of its Content-Encoding"}`)
			}
		}
		check(t, serve(t, f, post), 200, `{}`)
	}
}

func TestEncodedResponses(t *testing.T) {
	f := newTest(t, Options{}, nil)
	long := `{"text":"` + strings.Repeat("a", 5000) + `"}`
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd;q=0.5, gzip": "gzip", "gzip;q=0": "", "*": "gzip", "br": "",
		"identity": "", "GZIP;q=0.1": "gzip", "zstd;q=x": "",
	} {
		request := "POST /test.Svc/Echo\n"
		if accept != "" {
			request += "Accept-Encoding: " + accept + "\n"
		}
		w := serve(t, f, request+"\n"+long)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
		if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Vary: %q", got)
		}
		text := w.Body.String()
		switch want {
		case "gzip":
			r, _ := gzip.NewReader(w.Body)
			var out bytes.Buffer
			_, _ = out.ReadFrom(r)
			text = out.String()
		case "zstd":
			r, _ := zstd.NewReader(nil)
			out, _ := r.DecodeAll(w.Body.Bytes(), nil)
			r.Close()
			text = string(out)
		}
		if text != long {
			t.Errorf("%q: %.50s", accept, text)
		}
	}
	if w := serve(t, f, "POST /test.Svc/Echo\nAccept-Encoding: gzip\n\n{}"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}
