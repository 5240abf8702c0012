package transcode_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/schematest"
)

const paramProto = `syntax = "proto3"; package param;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { RED = 0; GREEN = 1; }
message Author { string full_name = 1; int32 born = 2 [json_name = "year.born"]; Author mentor = 3; repeated Author students = 4; }
message Book {
  string name = 1;
  int32 pages = 2;
  Author author = 3;
  map<string, string> labels = 4;
  map<int32, google.protobuf.Duration> loans = 5;
  map<bool, Author> editors = 6;
  repeated int64 isbn_parts = 7;
  repeated string tags = 8;
  Color color = 9;
  repeated Color colors = 10;
  bytes cover = 11;
  bool sold = 12;
  google.protobuf.Timestamp published = 13;
  google.protobuf.FieldMask mask = 14;
  google.protobuf.Struct meta = 15;
  google.protobuf.Value value = 16;
  google.protobuf.ListValue list = 17;
  google.protobuf.StringValue title = 18;
  google.protobuf.BoolValue rare = 19;
  google.protobuf.Any any = 20;
  google.protobuf.Empty empty = 21;
  repeated google.protobuf.Timestamp reprints = 22;
  oneof owner { string person = 23; Author writer = 24; }
  double price = 25;
  optional uint32 rank = 26;
  google.protobuf.NullValue nothing = 27;
  google.protobuf.Duration lent = 28;
}`

var book = func() *subject {
	d, _ := schematest.Compile(map[string]string{"param.proto": paramProto}).Find("param.Book")
	return newSubject(d.(protoreflect.MessageDescriptor))
}()

// appendParams appends parameters, given as name=value&name=value without escapes.
func appendParams(p *transcode.Plan, dst []byte, query string) ([]byte, error) {
	var set transcode.ParamSet
	for pair := range strings.SplitSeq(query, "&") {
		name, text, _ := strings.Cut(pair, "=")
		if open, closing := strings.IndexByte(pair, '['), strings.Index(pair, "]="); open >= 0 && open < closing {
			name, text = pair[:closing+1], pair[closing+2:]
		}
		x, err := p.FindParam(name)
		if err != nil {
			return dst, err
		}
		if err := set.Add(x); err != nil {
			return dst, err
		}
		if dst, err = x.Append(dst, text); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func TestParams(t *testing.T) {
	for query, want := range map[string]string{
		"name=Dune":                             `{"name":"Dune"}`,
		"name=":                                 `{}`,
		"name=\"a\" \\ \x01é":                   `{"name":"\"a\" \\ \u0001é"}`,
		"pages=412":                             `{"pages":412}`,
		"pages=-1.0e2":                          `{"pages":-100}`,
		"author.fullName=F&author.full_name=F":  `parameter "author.full_name": the parameter is set twice`,
		"author.full_name=F&author.year.born=1": `{"author":{"fullName":"F","year.born":1}}`,
		"author.mentor.born=1920":               `{"author":{"mentor":{"year.born":1920}}}`,
		"labels[a.b]=x&labels[c]]=y&labels[]=":  `{"labels":{"":"","a.b":"x","c]":"y"}}`,
		"labels[a]=x&labels[a]=y":               `parameter "labels[a]": the parameter is set twice`,
		"loans[7]=1.5s&loans[-1]=0s":            `{"loans":{"-1":"0s","7":"1.500s"}}`,
		"loans[x]=1s":                           `parameter "loans[x]": expected a key of type int32, got "x"`,
		"isbnParts=1&isbn_parts=0&isbnParts=-3": `{"isbnParts":["1","0","-3"]}`,
		"tags=a,b&tags=":                        `{"tags":["a,b",""]}`,
		"color=GREEN&colors=RED&colors=1":       `{"color":"GREEN","colors":["RED","GREEN"]}`,
		"colors=7":                              `{"colors":[7]}`,
		"color=GREN":                            `parameter "color": param.Color has no value "GREN" (did you mean "GREEN" or "RED"?); it has: GREEN, RED`,
		"cover=-_8":                             `{"cover":"+/8="}`,
		"cover=+/8=":                            `{"cover":"+/8="}`,
		"cover=?":                               `parameter "cover": expected bytes as a base64 string, got the string "?"`,
		"sold=true":                             `{"sold":true}`,
		"sold=yes":                              `parameter "sold": expected bool (true or false), got the string "yes"`,
		"published=2006-01-02T15:04:05Z":        `{"published":"2006-01-02T15:04:05Z"}`,
		"published=1970-01-01T00:00:00Z":        `{"published":"1970-01-01T00:00:00Z"}`,
		"published=yesterday":                   `parameter "published": expected google.protobuf.Timestamp such as "2006-01-02T15:04:05Z", got the string "yesterday"`,
		"published.seconds=1":                   `parameter "published.seconds": published has no fields: it is google.protobuf.Timestamp such as "2006-01-02T15:04:05Z"`,
		"reprints=1970-01-01T00:00:01Z&reprints=1970-01-01T00:00:00Z": `{"reprints":["1970-01-01T00:00:01Z","1970-01-01T00:00:00Z"]}`,
		"mask=name,author.fullName":                                   `{"mask":"name,author.fullName"}`,
		"mask=author.full_name,author.fullName,tags":                  `{"mask":"author.fullName,author.fullName,tags"}`,
		"mask=author.full_Name":                                       `parameter "mask": the path "author.full_Name" of the field mask is not valid`,
		"mask=a__b":                                                   `parameter "mask": the path "a__b" of the field mask is not valid`,
		"mask=a_1":                                                    `parameter "mask": the path "a_1" of the field mask is not valid`,
		"mask=a,":                                                     `parameter "mask": the path "" of the field mask is not valid`,
		"editors[true].born=1":                                        `parameter "editors[true].born": editors is a map of messages, which a parameter cannot set`,
		"author.x[1].born=1":                                          `parameter "author.x[1].born": param.Author has no field "x"`,
		"labels[a].b=1":                                               `parameter "labels[a].b": the name is not complete`,
		`meta={"a":[1]}`:                                              `{"meta":{"a":[1]}}`,
		"meta[a]=1&meta[b]=x&meta[c]=null":                            `{"meta":{"a":1,"b":"x","c":null}}`,
		"meta=x":                                                      `parameter "meta": expected an object (google.protobuf.Struct), got the string "x"`,
		`meta={"a":1} x`:                                              `parameter "meta": syntax error (line 1:9): expected the end of the JSON, got 'x'`,
		"value=1.5":                                                   `{"value":1.5}`,
		"value=1.5.2":                                                 `{"value":"1.5.2"}`,
		`value="1"`:                                                   `{"value":"1"}`,
		"value=true":                                                  `{"value":true}`,
		"value=null":                                                  `{"value":null}`,
		"value=":                                                      `{"value":""}`,
		"value={":                                                     `parameter "value": syntax error (line 1:2): expected a key in double quotes, but the JSON ends`,
		"list=[1,\"a\"]":                                              `{"list":[1,"a"]}`,
		"title=&rare=false":                                           `{"title":"","rare":false}`,
		"nothing=null":                                                `{}`,
		"rank=0":                                                      `{"rank":0}`,
		"price=NaN":                                                   `{"price":"NaN"}`,
		"price=":                                                      `parameter "price": expected double, got the string ""`,
		"person=a&writer.fullName=b":                                  `parameter "writer.fullName": only one field of the oneof param.Book.owner can be set, and "person" already is`,
		"writer.fullName=b&writer.born=1":                             `{"writer":{"fullName":"b","year.born":1}}`,
		"naem=x":                                                      `parameter "naem": param.Book has no field "naem" (did you mean "name"?); it has: name,`,
		"author.fulName=x":                                            `parameter "author.fulName": param.Author has no field "fulName" (did you mean "fullName"?)`,
		"author=x":                                                    `parameter "author": author is a message: set its fields, such as author.fullName`,
		"author.=x":                                                   `parameter "author.": the name is not complete`,
		"author..born=1":                                              `parameter "author..born": param.Author has no field ""; it has`,
		"labels=x":                                                    `parameter "labels": labels is a map: set its entries as labels[key]`,
		"labels.a=x":                                                  `parameter "labels.a": labels is a map: set its entries as labels[key]`,
		"labels[a=x":                                                  `parameter "labels[a": the name is not complete`,
		"name[a]=x":                                                   `parameter "name[a]": name is not a map`,
		"name.a=x":                                                    `parameter "name.a": name has no fields: it is string`,
		"author.students.born=1":                                      `parameter "author.students.born": students is a list of messages, which a parameter cannot set`,
		"editors[true]=x":                                             `parameter "editors[true]": editors is a map of messages, which a parameter cannot set`,
		"any=x":                                                       `parameter "any": a parameter cannot set a google.protobuf.Any`,
		"empty={}":                                                    `parameter "empty": a parameter cannot set a google.protobuf.Empty`,
		"name=\xff":                                                   `parameter "name": the text is not valid UTF-8`,
		"labels[\xff]=a":                                              `the text is not valid UTF-8`,
		strings.Repeat("author.", 1) + strings.Repeat("mentor.", 99) + "born=1": "nested more than 100 levels deep",
	} {
		b, err := appendParams(book.plan, []byte("dst"), query)
		if err != nil {
			var wrong *transcode.Error
			if !errors.As(err, &wrong) || wrong.Param == "" || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got error %v, want %s", query, err, want)
			}
			continue
		}
		got, err := book.plan.AppendJSON(nil, b[3:], transcode.EncodeOptions{})
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", query, got, err, want)
		}
		if m, err := book.parse(b[3:]); err != nil {
			t.Errorf("%s: %v, %v", query, m, err)
		}
	}
}

// TestParamReplaces checks that the field of a parameter replaces the body's.
func TestParamReplaces(t *testing.T) {
	body := `{"name":"a","pages":1,"author":{"fullName":"F","year.born":7},"color":"GREEN","cover":"AAAA","sold":true,
		"published":"2006-01-02T15:04:05.5Z","lent":"3.5s","title":"t","rare":true,"price":1,"person":"p"}`
	dst, err := book.plan.AppendWire(nil, []byte(body), transcode.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	dst, err = appendParams(book.plan, dst, "name=&pages=0&author.born=0&color=RED&cover=&sold=false&published=1970-01-01T00:00:00Z&lent=0s&title=&rare=false&price=0&writer.born=1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := book.plan.AppendJSON(nil, dst, transcode.EncodeOptions{})
	want := `{"author":{"fullName":"F"},"published":"1970-01-01T00:00:00Z","title":"","rare":false,"writer":{"year.born":1},"lent":"0s"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestParamOfPath(t *testing.T) {
	fields := book.md.Fields()
	author := fields.ByName("author")
	x, err := book.plan.Param([]protoreflect.FieldDescriptor{author, author.Message().Fields().ByName("full_name")})
	if err != nil || x.Name() != "author.full_name" || x.Root() != author || x.Field().Name() != "full_name" {
		t.Fatalf("got %s, %v", x.Name(), err)
	}
	b, err := x.Append(nil, "F")
	if got, _ := book.plan.AppendJSON(nil, b, transcode.EncodeOptions{}); err != nil || string(got) != `{"author":{"fullName":"F"}}` {
		t.Errorf("got %s, %v", got, err)
	}
	for _, path := range [][]protoreflect.FieldDescriptor{
		nil, {author}, {author.Message().Fields().ByName("full_name")}, {fields.ByName("name"), author}, {fields.ByName("labels")},
	} {
		if _, err := book.plan.Param(path); err == nil {
			t.Errorf("the path %v is accepted", path)
		}
	}
}

// params returns the parameters that set what m has, as far as parameters can, and removes the
// rest from m.
func params(m protoreflect.Message, prefix string, r *rand.Rand) (names, texts []string) {
	add := func(name string, fd protoreflect.FieldDescriptor, v protoreflect.Value) {
		names, texts = append(names, name), append(texts, textOf(fd, v))
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := prefix + fd.JSONName()
		if r.IntN(2) == 0 {
			name = prefix + fd.TextName()
		}
		element := fd
		if fd.IsMap() {
			element = fd.MapValue()
		}
		settable := element.Message() == nil || wellknown.Of(element.Message().FullName()).HasOwnJSON()
		switch {
		case fd.IsExtension():
			m.Clear(fd)
		case !settable && !fd.IsMap() && !fd.IsList():
			n, x := params(v.Message(), name+".", r)
			if len(n) == 0 {
				m.Clear(fd)
			}
			names, texts = append(names, n...), append(texts, x...)
		case !settable:
			m.Clear(fd)
		case fd.IsList():
			for i := range v.List().Len() {
				add(name, fd, v.List().Get(i))
			}
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				add(fmt.Sprintf("%s[%s]", name, k.String()), element, v)
				return true
			})
		default:
			add(name, fd, v)
		}
		return true
	})
	return names, texts
}

// textOf returns the text of a value in a URL.
func textOf(fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch fd.Kind() {
	case protoreflect.BytesKind:
		return base64.URLEncoding.EncodeToString(v.Bytes())
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return fmt.Sprint(v.Enum())
	case protoreflect.MessageKind:
		b, err := protojson.Marshal(v.Message().Interface())
		if err != nil {
			panic(err)
		}
		b = compact(b)
		var text string
		if wellknown.Of(fd.Message().FullName()).Kind != wellknown.Value && json.Unmarshal(b, &text) == nil {
			return text
		}
		return string(b)
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return strings.ReplaceAll(fmt.Sprint(v.Interface()), "Inf", "Infinity")[len(v.String())-len(strings.TrimPrefix(v.String(), "+")):]
	}
	return v.String()
}

// FuzzParams sets the fields of random messages by parameters.
func FuzzParams(f *testing.F) {
	for i := range uint64(300) {
		f.Add(i, i*7, strconv.FormatUint(i, 10))
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64, text string) {
		for _, s := range []*subject{known, newSubject(randproto.New(schemaSeed%5000, randproto.Options{Recursive: true}).Descriptor.Messages().Get(0))} {
			r := rand.New(rand.NewPCG(dataSeed, 3))
			m := s.own.Message(s.md).NewMessage()
			options := proto.UnmarshalOptions{AllowPartial: true, Resolver: s.types, DiscardUnknown: true}
			if err := options.Unmarshal(randproto.NewWire(dataSeed).Message(s.md, 4), m); err != nil {
				continue
			}
			if _, err := protojson.Marshal(m); err != nil {
				continue // text that is not UTF-8, and times out of range
			}
			s.checkParams(t, m, r, text)
		}
	})
}

func (s *subject) checkParams(t *testing.T, m proto.Message, r *rand.Rand, text string) {
	t.Helper()
	names, texts := params(m.ProtoReflect(), "", r)
	var b []byte
	var set transcode.ParamSet
	for i, name := range names {
		x, err := s.plan.FindParam(name)
		if err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		if err := set.Add(x); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		if b, err = x.Append(b, texts[i]); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		s.checkText(t, x, text)
	}
	got, err := s.parse(b)
	if err != nil || !proto.Equal(got, m) && !s.sameText(got, m) {
		t.Fatalf("got %v, %v, want %v\nparameters %q %q\n%s", got, err, m, names, texts, s)
	}
}

// checkText compares a parameter's text with JSON: of the quoted text or, if the field takes such
// values, the text itself.
func (s *subject) checkText(t *testing.T, x transcode.Param, text string) {
	t.Helper()
	fd := x.Field()
	if strings.ContainsAny(x.Name(), ".[") || fd.IsMap() || fd.IsList() {
		return
	}
	if md := fd.Message(); md != nil && slices.Contains([]wellknown.Kind{wellknown.Value, wellknown.Struct, wellknown.ListValue}, wellknown.Of(md.FullName()).Kind) {
		return
	}
	b, gotErr := x.Append(nil, text)
	quoted, _ := json.Marshal(text)
	if !utf8.ValidString(text) {
		quoted = []byte("\"\xff\"") // json.Marshal repairs it
	}
	want := s.own.Message(s.md).NewMessage()
	options := protojson.UnmarshalOptions{AllowPartial: true, Resolver: s.types}
	wantErr := options.Unmarshal([]byte(fmt.Sprintf(`{%q:%s}`, fd.JSONName(), quoted)), want)
	if wantErr != nil && json.Valid([]byte(text)) && bytes.TrimSpace([]byte(text))[0] != '"' && text != "null" && strings.TrimSpace(text) == text {
		wantErr = options.Unmarshal([]byte(fmt.Sprintf(`{%q:%s}`, fd.JSONName(), text)), want)
	}
	if wellknown.IsNull(fd) || (gotErr == nil) == (wantErr == nil) && gotErr != nil {
		return
	}
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("%s=%q: got %x, %v, want %v, %v\n%s", x.Name(), text, b, gotErr, want, wantErr, s)
	}
	again, err := proto.MarshalOptions{AllowPartial: true}.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := s.parse(again)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.parse(b); err != nil || !proto.Equal(got, canonical) {
		t.Fatalf("%s=%q: got %v, %v, want %v\n%s", x.Name(), text, got, err, want, s)
	}
}
