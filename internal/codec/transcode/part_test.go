package transcode_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

func TestAppendJSONFieldAbsent(t *testing.T) {
	for name, want := range map[string]string{
		"name": `""`, "pages": "0", "sold": "false", "color": `"RED"`, "price": "0", "rank": "null", "person": "null",
		"author": "{}", "any": "{}", "empty": "{}", "labels": "{}", "tags": "[]", "meta": "{}", "list": "[]",
		"published": "null", "title": "null", "value": "null", "mask": "null", "cover": `""`,
	} {
		fd := book.md.Fields().ByName(protoreflect.Name(name))
		got, err := book.plan.AppendJSONField([]byte("x"), nil, fd, transcode.EncodeOptions{})
		if err != nil || string(got) != "x"+want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
}

// TestAppendJSONFieldMerges reads fields that occur several times.
func TestAppendJSONFieldMerges(t *testing.T) {
	var msg []byte
	for _, doc := range []string{
		`{"name":"a","author":{"fullName":"F"},"labels":{"b":"1"},"tags":["x"],"person":"p"}`,
		`{"author":{"year.born":7},"name":"b","labels":{"a":"2","b":"3"},"tags":["y"],"writer":{}}`,
	} {
		var err error
		if msg, err = book.plan.AppendWire(msg, []byte(doc), transcode.DecodeOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"name": `"b"`, "author": `{"fullName":"F","year.born":7}`, "labels": `{"a":"2","b":"3"}`, "tags": `["x","y"]`, "person": "null",
	} {
		got, err := book.plan.AppendJSONField(nil, msg, book.md.Fields().ByName(protoreflect.Name(name)), transcode.EncodeOptions{})
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
	if _, err := book.plan.AppendJSONField(nil, []byte{8}, book.md.Fields().ByName("name"), transcode.EncodeOptions{}); err == nil {
		t.Error("malformed bytes have JSON")
	}
}

func TestAppendWireField(t *testing.T) {
	for _, test := range []struct{ field, doc, want string }{
		{"name", ` "a" `, `{"name":"a"}`},
		{"name", `null`, `{}`},
		{"name", `1`, `expected string, got the number 1`},
		{"name", ``, `the JSON is empty`},
		{"name", `"a" "b"`, `expected the end of the JSON`},
		{"author", `{"fullName":"F","mentor":{}}`, `{"author":{"fullName":"F","mentor":{}}}`},
		{"author", `{"fullName":1}`, `fullName: expected string, got the number 1`},
		{"labels", `{"a":"b"}`, `{"labels":{"a":"b"}}`},
		{"tags", `["a",""]`, `{"tags":["a",""]}`},
		{"tags", `["a",1]`, `[1]: expected string`},
		{"value", `null`, `{"value":null}`},
		{"published", `"2006-01-02T15:04:05Z"`, `{"published":"2006-01-02T15:04:05Z"}`},
		{"author", strings.Repeat(`{"mentor":`, 99) + "{}" + strings.Repeat("}", 99), `nested more than 100 levels`},
	} {
		fd := book.md.Fields().ByName(protoreflect.Name(test.field))
		b, err := book.plan.AppendWireField([]byte("dst"), []byte(test.doc), fd, transcode.DecodeOptions{})
		var got []byte
		if err == nil {
			got, err = book.plan.AppendJSON(nil, b[3:], transcode.EncodeOptions{})
		}
		if err != nil && !strings.Contains(err.Error(), test.want) || err == nil && string(got) != test.want {
			t.Errorf("%s %s: got %s, %v, want %s", test.field, test.doc, got, err, test.want)
		}
	}
	var wrong *transcode.Error
	_, err := book.plan.AppendWireField(nil, []byte("{}"), known.md.Fields().Get(0), transcode.DecodeOptions{})
	if !errors.As(err, &wrong) {
		t.Errorf("a field of another message: %v", err)
	}
}

// FuzzParts transcodes single fields of random messages.
func FuzzParts(f *testing.F) {
	for i := range uint64(200) {
		f.Add(i, i*7)
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64) {
		for _, s := range []*subject{known, newSubject(randproto.New(schemaSeed%5000, randproto.Options{Recursive: true}).Descriptor.Messages().Get(0))} {
			b := randproto.NewWire(dataSeed).Message(s.md, 4)
			m, err := s.parse(b)
			if err != nil {
				continue
			}
			s.checkParts(t, b, m.ProtoReflect(), rand.New(rand.NewPCG(dataSeed, 5)))
		}
	})
}

func (s *subject) checkParts(t *testing.T, b []byte, m protoreflect.Message, r *rand.Rand) {
	t.Helper()
	for i := range s.md.Fields().Len() {
		fd := s.md.Fields().Get(i)
		if !m.Has(fd) {
			continue
		}
		only := m.New()
		only.Set(fd, m.Get(fd))
		if proto.CheckInitialized(only.Interface()) != nil {
			continue // required fields are checked within fd only
		}
		doc, err := protojson.MarshalOptions{Resolver: s.types}.Marshal(only.Interface())
		got, gotErr := s.plan.AppendJSONField(nil, b, fd, transcode.EncodeOptions{})
		if err != nil {
			if gotErr == nil {
				t.Fatalf("%s of %x: got %s, want %v", fd.Name(), b, got, err)
			}
			continue
		}
		doc = compact(doc)
		if want := strings.TrimSuffix(string(doc[strings.IndexByte(string(doc), ':')+1:]), "}"); gotErr != nil || string(got) != want {
			t.Fatalf("%s of %x: got %s, %v, want %s\n%s", fd.Name(), b, got, gotErr, want, s)
		}
		for _, part := range [][]byte{got, mutate(r, got)} {
			s.checkPart(t, fd, part)
		}
	}
}

// checkPart compares what both make of the JSON of a field.
func (s *subject) checkPart(t *testing.T, fd protoreflect.FieldDescriptor, doc []byte) {
	t.Helper()
	b, gotErr := s.plan.AppendWireField(nil, doc, fd, transcode.DecodeOptions{})
	whole := slices.Concat([]byte(`{"`+fd.JSONName()+`":`), doc, []byte("}"))
	want, wantErr := s.plan.AppendWire(nil, whole, transcode.DecodeOptions{})
	var wrong *transcode.Error
	if errors.As(wantErr, &wrong) && wrong.Missing != nil || gotErr == nil && wantErr != nil && strings.HasPrefix(string(doc), "null") {
		return
	}
	if (gotErr == nil) != (wantErr == nil) && (gotErr != nil || !strings.ContainsAny(string(doc), ",}")) {
		t.Fatalf("%s %s: got %x, %v, want %x, %v", fd.Name(), doc, b, gotErr, want, wantErr)
	}
	if gotErr == nil && string(b) != string(want) {
		t.Fatalf("%s %s: got %x, want %x", fd.Name(), doc, b, want)
	}
	if _, err := s.parse(b); gotErr == nil && err != nil {
		t.Fatalf("%s %s: wrote %x: %v", fd.Name(), doc, b, err)
	}
}

func TestMaskPaths(t *testing.T) {
	for doc, want := range map[string]string{
		`{}`:                          "",
		`{"name":"a","pages":null}`:   "name pages",
		`{"isbnParts":[1],"tags":[]}`: "isbn_parts tags",
		`{"author":{"fullName":"F","mentor":{"year.born":1}}}`: "author.full_name author.mentor.born",
		`{"author":{}}`:   "author",
		`{"author":null}`: "author",
		`{"author":{"students":[{"fullName":"a"}]},"labels":{"a":"b"}}`:                                                               "author.students labels",
		`{"published":"2006-01-02T15:04:05Z","meta":{"a":1},"title":"t","any":{"@type":"a/param.Author"},"empty":{},"value":{"a":1}}`: "published meta title any empty value",
		`{"unknown":{"name":[1]},"name":"a"}`:                                                                                         "name",
	} {
		got, err := book.plan.MaskPaths([]byte(doc))
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, %v, want %q", doc, got, err, want)
		}
	}
	for _, doc := range []string{``, `[]`, `{"name":"a"`, `{"author":{"fullName":}}`, `{"author":` + strings.Repeat(`{"mentor":`, 100) + "1"} {
		if got, err := book.plan.MaskPaths([]byte(doc)); err == nil {
			t.Errorf("%s: got %q", doc, got)
		}
	}
	if _, err := book.plan.MaskPaths([]byte(`{` + strings.Repeat(`"name":1,`, 1<<19) + `"name":1}`)); err == nil {
		t.Error("a mask of two megabytes is accepted")
	}
}
