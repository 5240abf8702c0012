package structs_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/codec/structs"
)

// The random schemas of FuzzDecode have neither recursive messages nor
// well-known types: here they are. The structs lose nothing, so that what is
// written must equal what was read.
type (
	fuzzLeaf struct {
		Name string
		N    int32
		Rest []byte `proto:",unknown"`
	}
	fuzzNode struct {
		Leaf   *fuzzLeaf
		Leaves []fuzzLeaf
		Next   *fuzzNode
		Kids   []*fuzzNode
		Named  map[string]fuzzNode
		Rest   []byte `proto:",unknown"`
	}
	fuzzTwo struct {
		S    *string
		Rest []byte `proto:",unknown"`
	}
	fuzzOne struct {
		N    *int32
		Two  *fuzzTwo
		Rest []byte `proto:",unknown"`
	}
	fuzzMany struct {
		N    *int32
		Rest []byte `proto:",unknown"`
	}
	fuzzGroups struct {
		One  *fuzzOne
		Many []*fuzzMany
		Rest []byte `proto:",unknown"`
	}
	fuzzNeedy struct {
		ID    *int32
		Name  *string
		Next  *fuzzNeedy
		List  []fuzzNeedy
		Named map[string]*fuzzNeedy
		Left  *fuzzNeedy
		Right *int32
		Rest  []byte `proto:",unknown"`
	}
)

// sameAsOracle reads b in both ways. strict tells that our types take all that
// the wire can have.
func sameAsOracle[T any](strict bool) func(t *testing.T, md protoreflect.MessageDescriptor, b []byte) {
	return func(t *testing.T, md protoreflect.MessageDescriptor, b []byte) {
		defer func() {
			if r := recover(); r != nil && r != "oracle" {
				panic(r)
			}
		}()
		plan := must(structs.Bind[T](md, structs.Options{}))
		var v T
		err := plan.Unmarshal(b, &v)
		want := dynamicpb.NewMessage(md)
		wantErr := unmarshalOracle(b, want)
		if wantErr == nil && err != nil && randproto.HasLongVarint(b) {
			return // dynamicpb takes tags of more than five bytes
		}
		if err == nil && wantErr != nil || strict && (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: dynamicpb says %v, we say %v", b, wantErr, err)
		}
		if err != nil {
			return
		}
		out, err := plan.Append(nil, &v)
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		got := dynamicpb.NewMessage(md)
		if err := proto.Unmarshal(out, got); err != nil {
			t.Fatalf("%x: we wrote %x: %v", b, out, err)
		}
		if strict && !proto.Equal(got, want) {
			t.Fatalf("%x: we wrote %x\ngot  %v\nwant %v", b, out, got, want)
		}
	}
}

// unmarshalOracle panics with "oracle" where dynamicpb panics.
func unmarshalOracle(b []byte, m *dynamicpb.Message) error {
	defer func() {
		if recover() != nil {
			panic("oracle")
		}
	}()
	err := proto.UnmarshalOptions{RecursionLimit: 100}.Unmarshal(b, m)
	if err != nil && !errors.Is(err, proto.Error) {
		return errors.New("not an error of proto")
	}
	return err
}

func FuzzBytes(f *testing.F) {
	checks := []struct {
		name  protoreflect.FullName
		check func(*testing.T, protoreflect.MessageDescriptor, []byte)
	}{
		{"p3.Nest", sameAsOracle[fuzzNode](true)},
		{"p2.Groups", sameAsOracle[fuzzGroups](true)},
		{"p2.Required", sameAsOracle[fuzzNeedy](true)},
		{"p3.Known", sameAsOracle[known](false)},
	}
	for i, seeds := range [][]string{
		{"\x12\x04\x0a\x00\x10\x01\x1a\x02\x1a\x00\x22\x04\x22\x02\x0a\x00\x2a\x07\x0a\x01k\x12\x02\x0a\x00", string(nested(99)), string(nested(100))},
		{"\x0b\x10\x01\x1b\x22\x01s\x1c\x0c\x2b\x30\x01\x2c\x2b\x2c"},
		{"\x08\x01\x12\x00\x1a\x04\x08\x01\x12\x00\x22\x02\x08\x01\x2a\x07\x0a\x01k\x12\x02\x08\x01\x32\x00\x38\x01"},
		{"\x0a\x02\x08\x05\x12\x02\x10\x05\x1a\x0b\x0a\x09\x0a\x01a\x12\x04\x1a\x02xy\x22\x06\x2a\x04\x0a\x02\x0a\x00\x2a\x02\x0a\x00\x32\x03\x0a\x01p"},
	} {
		for _, seed := range seeds {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		c := checks[int(which)%len(checks)]
		c.check(t, message(t, c.name), b)
	})
}
