package reflection_test

import (
	"testing"

	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"

	"github.com/dyngate/dyngate/internal/reflection"
)

// FuzzReader reads arbitrary answers. The input is a list of answers, each after
// its length; a length of 0 breaks the stream. Nothing may panic, the limits must
// hold, and a set that was read without an error must be complete.
func FuzzReader(f *testing.F) {
	c := &fakeConn{files: shop(f, 3), closure: true}
	var good, broken []byte
	for _, req := range []*refv1.ServerReflectionRequest{
		{MessageRequest: &refv1.ServerReflectionRequest_ListServices{ListServices: "*"}},
		{MessageRequest: &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "p.S0"}},
		{MessageRequest: &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "p.S1"}},
		{MessageRequest: &refv1.ServerReflectionRequest_FileByFilename{FileByFilename: "item.proto"}},
		{MessageRequest: &refv1.ServerReflectionRequest_FileByFilename{FileByFilename: "missing.proto"}},
	} {
		res := c.usual(req)
		res.OriginalRequest = nil
		b, err := proto.Marshal(res)
		if err != nil {
			f.Fatal(err)
		}
		good = protowire.AppendBytes(good, b)
		broken = append(protowire.AppendBytes(broken, b), 0)
	}
	f.Add(good)
	f.Add(broken)
	f.Fuzz(func(t *testing.T, b []byte) {
		var files, answers int
		limits := reflection.Limits{Bytes: 1 << 16, Files: 30, Depth: 10, Declarations: 80_000, FullNameBytes: 1 << 16}
		c := &fakeConn{answer: func(*fakeStream, *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			answers++
			content, n := protowire.ConsumeBytes(b)
			if n <= 0 {
				return nil, status.Error(codes.Unavailable, "the end")
			}
			b = b[n:]
			res := new(refv1.ServerReflectionResponse)
			if len(content) == 0 || proto.Unmarshal(content, res) != nil {
				return nil, status.Error(codes.Internal, "reset")
			}
			return res, nil
		}}
		r := reflection.NewReader(c, reflection.Options{Limits: limits, Progress: func(n int) { files = max(files, n) }})
		names := namesOf(4)
		found, _ := r.Files(t.Context(), append(names, "base.Money"))
		for _, f := range found {
			if f == nil {
				continue
			}
			fd, err := f.Link(t.Context())
			if (err == nil) != (fd != nil) {
				t.Errorf("got %v, %v", fd, err)
			}
			if err == nil {
				_ = protodesc.ToFileDescriptorProto(r.WithComments(fd))
			}
		}
		set, err := r.All(t.Context())
		if err == nil {
			if _, err := protodesc.NewFiles(set); err != nil {
				t.Error(err)
			}
		}
		_, _ = r.FileOfExtension(t.Context(), "p.M", 1)
		_, _ = r.FileByPath(t.Context(), "base.proto")
		if files > limits.Files || answers > 1000 {
			t.Errorf("%d files of %d answers", files, answers)
		}
	})
}
