package transcode_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// subject is a message type that protojson and this package transcode.
type subject struct {
	md      protoreflect.MessageDescriptor
	types   *protoregistry.Types
	own     *dynamic.Types
	plan    *transcode.Plan
	extends map[protoreflect.FullName][]protoreflect.FieldDescriptor
}

func newSubject(md protoreflect.MessageDescriptor) *subject {
	s := &subject{md: md, types: new(protoregistry.Types), extends: make(map[protoreflect.FullName][]protoreflect.FieldDescriptor)}
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if mt.Descriptor().FullName().Parent() == "google.protobuf" {
			_ = s.types.RegisterMessage(mt)
		}
		return true
	})
	file, own := md.ParentFile(), new(dynamic.Types)
	for i := range file.Messages().Len() {
		_ = s.types.RegisterMessage(own.Message(file.Messages().Get(i)))
	}
	for i := range file.Extensions().Len() {
		xt := own.Extension(file.Extensions().Get(i))
		_ = s.types.RegisterExtension(xt)
		of := xt.TypeDescriptor().ContainingMessage().FullName()
		s.extends[of] = append(s.extends[of], xt.TypeDescriptor())
	}
	s.own = own
	s.plan = transcode.NewPlans(s.types).Plan(md)
	return s
}

func (s *subject) String() string {
	return prototext.Format(protodesc.ToFileDescriptorProto(s.md.ParentFile()))
}

// parse reads a message as the oracle does.
func (s *subject) parse(b []byte) (m proto.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	m = s.own.Message(s.md).NewMessage()
	return m, proto.UnmarshalOptions{AllowPartial: true, Resolver: s.types, RecursionLimit: wire.MaxDepth}.Unmarshal(b, m)
}

// checkEncode compares what both write of a message in wire bytes, by default and with
// options.
func (s *subject) checkEncode(t *testing.T, b []byte) []byte {
	t.Helper()
	for _, o := range []transcode.EncodeOptions{
		{EmitDefaults: true, ProtoNames: true}, {EmitUnpopulated: true, EnumNumbers: true}, {Indent: true},
	} {
		s.checkOptions(t, b, o)
	}
	return s.checkOptions(t, b, transcode.EncodeOptions{})
}

func (s *subject) checkOptions(t *testing.T, b []byte, o transcode.EncodeOptions) []byte {
	t.Helper()
	got, gotErr := s.plan.AppendJSON(nil, b, o)
	m, wantErr := s.parse(b)
	var want []byte
	if wantErr == nil {
		want, wantErr = protojson.MarshalOptions{
			Resolver: s.types, EmitDefaultValues: o.EmitDefaults, EmitUnpopulated: o.EmitUnpopulated,
			UseProtoNames: o.ProtoNames, UseEnumNumbers: o.EnumNumbers,
		}.Marshal(m)
	}
	if o.Indent && gotErr == nil {
		got = compact(got)
	}
	if gotErr != nil && wantErr == nil && randproto.HasLongVarint(b) {
		return nil
	}
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("message %x: got %s, %v, want %s, %v\n%s", b, got, gotErr, want, wantErr, s)
	}
	if gotErr != nil {
		return nil
	}
	if want = compact(want); !bytes.Equal(got, want) {
		t.Fatalf("message %x:\ngot  %s\nwant %s\n%s", b, got, want, s)
	}
	return got
}

// unmarshal reads a document as the oracle does.
func (s *subject) unmarshal(doc []byte, m proto.Message) error {
	return protojson.UnmarshalOptions{Resolver: s.types, RecursionLimit: wire.MaxDepth}.Unmarshal(doc, m)
}

func compact(b []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// checkDecode compares what both make of a document.
func (s *subject) checkDecode(t *testing.T, doc []byte, ignoreUnknown bool) {
	t.Helper()
	before := bytes.Clone(doc)
	b, gotErr := s.plan.AppendWire(nil, doc, transcode.DecodeOptions{IgnoreUnknown: ignoreUnknown})
	if !bytes.Equal(before, doc) {
		t.Fatalf("the document %s was changed", before)
	}
	want := s.own.Message(s.md).NewMessage()
	wantErr := protojson.UnmarshalOptions{Resolver: s.types, RecursionLimit: wire.MaxDepth, DiscardUnknown: ignoreUnknown}.Unmarshal(doc, want)
	if gotErr != nil && wantErr == nil && !json.Valid(doc) {
		return // protojson takes numbers such as 1e and 1e+
	}
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("document %s: got %x, %v, want %v, %v\n%s", doc, b, gotErr, want, wantErr, s)
	}
	if gotErr != nil {
		return
	}
	again, err := proto.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := s.parse(again)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.parse(b)
	if err != nil {
		t.Fatalf("document %s: wrote %x, %v\n%s", doc, b, err, s)
	}
	if !proto.Equal(got, canonical) && !s.sameText(got, canonical) {
		t.Fatalf("document %s: wrote %x\ngot  %v\nwant %v\n%s", doc, b, got, canonical, s)
	}
}

// sameText reports whether messages have the same JSON: the bytes in an Any may
// differ in the order of their fields.
func (s *subject) sameText(a, b proto.Message) bool {
	options := protojson.MarshalOptions{Resolver: s.types, AllowPartial: true}
	x, errA := options.Marshal(a)
	y, errB := options.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(compact(x), compact(y))
}

// mutate changes a document a little, mostly into another document.
func mutate(r *rand.Rand, doc []byte) []byte {
	doc = bytes.Clone(doc)
	values := []string{"null", "true", "0", "-1", "1.5", "1e2", "1.0", `"1"`, `"a"`, `""`, `"NaN"`, "[]", "{}", "[null]", "99999999999999999999", "-0", `"\ud83d\ude00"`, `"\ud83d"`, `"\u0000"`, "\"\xff\"", `"-_"`, `"YQ"`, `"YQ=="`, "1e-7", "1e400", "0e99999999999", "4294967295", `"E0_1"`}
	for range 1 + r.IntN(3) {
		if len(doc) == 0 {
			break
		}
		i := r.IntN(len(doc))
		switch r.IntN(6) {
		case 0: // a value for another one
			j := i + 1 + bytes.IndexAny(doc[i+1:], ",}]")
			if k := bytes.IndexByte(doc[i:], ':'); k >= 0 && j > i+k {
				doc = bytes.Join([][]byte{doc[:i+k+1], []byte(values[r.IntN(len(values))]), doc[j:]}, nil)
			}
		case 1:
			doc[i] ^= 1 << r.IntN(8)
		case 2:
			doc = append(doc[:i], doc[i+1:]...)
		case 3:
			doc = doc[:i]
		case 4: // a part again
			j := i + r.IntN(len(doc)-i)
			doc = bytes.Join([][]byte{doc[:j], doc[i:]}, nil)
		case 5:
			doc = bytes.Join([][]byte{doc[:i], []byte(" \n\t,:{}[]\"\\"[r.IntN(10):]), doc[i:]}, nil)[:len(doc)+1]
		}
	}
	return doc
}

// FuzzRandom transcodes random messages of random schemas both ways, and documents
// that were changed.
func FuzzRandom(f *testing.F) {
	for i := range uint64(500) {
		f.Add(i, i*7, []byte{byte(i), byte(i * 3), 8})
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64, extra []byte) {
		file := randproto.New(schemaSeed%5000, randproto.Options{Recursive: true, Extensions: true})
		s := newSubject(file.Descriptor.Messages().Get(0))
		w := randproto.NewWire(dataSeed)
		w.Extensions = s.extends
		r := rand.New(rand.NewPCG(dataSeed, 3))
		for range 10 {
			b := w.Message(s.md, 4)
			doc := s.checkEncode(t, b)
			s.checkEncode(t, w.Mutate(bytes.Clone(b), extra))
			if doc == nil {
				continue
			}
			s.checkDecode(t, doc, false)
			for range 10 {
				s.checkDecode(t, mutate(r, doc), r.IntN(2) == 0)
			}
		}
		s.checkDecode(t, extra, false)
	})
}
