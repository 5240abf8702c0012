package reflection_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/reflection"
)

// shop returns n files with one service each. All import one file, which
// imports another one.
func shop(t testing.TB, n int) []*descriptorpb.FileDescriptorProto {
	t.Helper()
	files := []*descriptorpb.FileDescriptorProto{
		file(t, `name: "base.proto" package: "base" message_type { name: "Money" }
			source_code_info { location { path: 4 path: 0 span: 1 span: 0 span: 5 leading_comments: " Money.\n" } }`),
		file(t, `name: "item.proto" package: "item" dependency: "base.proto"
			message_type { name: "Item" field { name: "price" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".base.Money" } }`),
	}
	for i := range n {
		files = append(files, file(t, fmt.Sprintf(`name: "s%d.proto" package: "p" dependency: "item.proto"
			service { name: "S%[1]d" method { name: "M%[1]d" input_type: ".item.Item" output_type: ".item.Item" } }`, i)))
	}
	return files
}

func namesOf(n int) (names []protoreflect.FullName) {
	for i := range n {
		names = append(names, protoreflect.FullName(fmt.Sprintf("p.S%d", i)))
	}
	return names
}

// wantLinked checks that all services were found and can be linked.
func wantLinked(t testing.TB, files map[protoreflect.FullName]*reflection.File, names ...protoreflect.FullName) {
	t.Helper()
	for _, name := range names {
		f := files[name]
		if f == nil {
			t.Fatalf("%s was not found", name)
		}
		fd, err := f.Link(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sd := fd.Services().ByName(name.Name())
		if sd == nil || sd.Methods().Len() != 1 {
			t.Fatalf("%s is %v", name, sd)
		}
		if s := f.Services(); len(s) != 1 || s[0].Name != name || s[0].Methods[0] != sd.Methods().Get(0).Name() {
			t.Errorf("%s has the services %v", name, s)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, closure := range []bool{false, true} {
		c := &fakeConn{files: shop(t, 100), closure: closure}
		var progress []int
		r := reflection.NewReader(c, reflection.Options{Progress: func(files int) { progress = append(progress, files) }})
		names, err := r.Services(t.Context())
		if err != nil || len(names) != 100 {
			t.Fatalf("got %v, %v", names, err)
		}
		files, err := r.Files(t.Context(), append(names, "p.Unknown", "not a name"))
		if err != nil {
			t.Fatal(err)
		}
		wantLinked(t, files, names...)
		if f, asked := files["p.Unknown"]; f != nil || !asked || len(files) != 101 {
			t.Errorf("got %v for an unknown name, and %d files", f, len(files))
		}
		if want := map[bool]int{true: 102, false: 104}[closure]; c.asked() != want {
			t.Errorf("asked %d questions, want %d", c.asked(), want)
		}
		if len(c.streams) != 2 || c.ahead < 32 {
			t.Errorf("%d streams, and %d questions ahead", len(c.streams), c.ahead)
		}
		if n := len(progress); progress[n-2] != 102 || progress[n-1] != 0 {
			t.Errorf("the progress was %v", progress)
		}
	}
}

// TestManyServicesInOneFile checks that a file with many services is requested
// once.
func TestManyServicesInOneFile(t *testing.T) {
	fd := file(t, `name: "all.proto" package: "p" message_type { name: "R" }`)
	for i := range 100 {
		fd.Service = append(fd.Service, file(t, fmt.Sprintf(`service { name: "S%d" method { name: "M" input_type: ".p.R" output_type: ".p.R" } }`, i)).GetService()...)
	}
	c := &fakeConn{files: []*descriptorpb.FileDescriptorProto{fd}}
	files, err := reflection.NewReader(c, reflection.Options{}).Files(t.Context(), namesOf(100))
	if err != nil || len(files) != 100 || c.asked() != 1 {
		t.Errorf("got %d files after %d questions, %v", len(files), c.asked(), err)
	}
}

func TestStreamThatBreaks(t *testing.T) {
	for name, err := range map[string]error{
		"unavailable": status.Error(codes.Unavailable, "going away"),
		"reset":       status.Error(codes.Internal, "stream reset"),
		"deadline":    status.Error(codes.DeadlineExceeded, "longest stream"),
	} {
		t.Run(name, func(t *testing.T) {
			c := &fakeConn{files: shop(t, 50)}
			c.answer = func(s *fakeStream, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
				if s.answered == 3 {
					return nil, err
				}
				return nil, nil
			}
			files, err := reflection.NewReader(c, reflection.Options{}).Files(t.Context(), namesOf(50))
			if err != nil {
				t.Fatal(err)
			}
			wantLinked(t, files, namesOf(50)...)
		})
	}
}

// TestQuestionThatBreaksTheStream uses a server that ends each stream at one
// question.
func TestQuestionThatBreaksTheStream(t *testing.T) {
	c := &fakeConn{files: shop(t, 20)}
	c.answer = func(_ *fakeStream, req *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		if req.GetFileContainingSymbol() == "p.S7" {
			return nil, status.Error(codes.Unknown, "it panicked")
		}
		return nil, nil
	}
	files, err := reflection.NewReader(c, reflection.Options{}).Files(t.Context(), namesOf(20))
	if status.Code(err) != codes.Unknown || len(files) != 19 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	if _, ok := files["p.S7"]; ok {
		t.Error("it has an answer for S7")
	}
}

func TestVersions(t *testing.T) {
	unimplemented, reset := status.Error(codes.Unimplemented, "no such service"), status.Error(codes.Internal, "stream reset")
	for name, tt := range map[string]struct {
		v1, alpha error
		version   string
		want      codes.Code
	}{
		"both":               {nil, nil, "v1", codes.OK},
		"v1alpha":            {unimplemented, nil, "v1alpha", codes.OK},
		"v1 is reset":        {reset, nil, "v1alpha", codes.OK},
		"neither":            {unimplemented, unimplemented, "v1", codes.Unimplemented},
		"broken":             {reset, unimplemented, "v1", codes.Internal},
		"v1alpha is broken":  {unimplemented, reset, "v1", codes.Internal},
		"down":               {status.Error(codes.Unavailable, "down"), nil, "v1", codes.Unavailable},
		"locked":             {status.Error(codes.Unauthenticated, "locked"), nil, "v1", codes.Unauthenticated},
		"v1 and a dead end":  {nil, reset, "v1", codes.OK},
		"reset in all cases": {reset, reset, "v1", codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			c := &fakeConn{files: shop(t, 3)}
			c.answer = func(s *fakeStream, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
				return nil, map[string]error{"v1": tt.v1, "v1alpha": tt.alpha}[s.version]
			}
			r := reflection.NewReader(c, reflection.Options{})
			names, err := r.Services(t.Context())
			if status.Code(err) != tt.want || r.Version() != tt.version {
				t.Errorf("got %v, version %s", err, r.Version())
			}
			if err == nil && len(names) != 3 {
				t.Errorf("got %v", names)
			}
		})
	}
}

// TestServerIsReplaced replaces the server with one of another version.
func TestServerIsReplaced(t *testing.T) {
	for _, versions := range [][]string{{"v1", "v1alpha"}, {"v1alpha", "v1"}} {
		c, speaks := &fakeConn{files: shop(t, 3)}, versions[0]
		c.answer = func(s *fakeStream, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
			if s.version != speaks {
				return nil, status.Error(codes.Unimplemented, "no such service")
			}
			return nil, nil
		}
		r := reflection.NewReader(c, reflection.Options{})
		for _, speaks = range versions {
			if names, err := r.Services(t.Context()); err != nil || len(names) != 3 || r.Version() != speaks {
				t.Errorf("%s: got %v, %v, version %s", speaks, names, err, r.Version())
			}
		}
	}
}

// TestOperationThatWasCut continues where another operation ended early.
func TestOperationThatWasCut(t *testing.T) {
	c := &fakeConn{files: shop(t, 5)}
	ctx, cancel := context.WithCancel(t.Context())
	c.answer = func(_ *fakeStream, req *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		if req.GetFileByFilename() == "base.proto" && ctx.Err() == nil {
			cancel()
			return nil, status.Error(codes.Canceled, "canceled")
		}
		return nil, nil
	}
	r := reflection.NewReader(c, reflection.Options{})
	if files, err := r.Files(ctx, namesOf(5)); status.Code(err) != codes.Canceled || len(files) != 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	files, err := r.Files(t.Context(), namesOf(5))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files["p.S0"].Link(ctx); status.Code(err) != codes.Canceled {
		t.Errorf("linking with a context that has ended: %v", err)
	}
	wantLinked(t, files, namesOf(5)...)
}

// TestTwoVersionsOfAFile uses a server that reloads between two answers.
func TestTwoVersionsOfAFile(t *testing.T) {
	c := &fakeConn{files: shop(t, 2), closure: true}
	changed := shop(t, 2)
	changed[0].MessageType[0].Field = append(changed[0].MessageType[0].Field, &descriptorpb.FieldDescriptorProto{
		Name: new("currency"), Number: new(int32(1)), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
	})
	c.answer = func(_ *fakeStream, req *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		if req.GetFileContainingSymbol() == "p.S1" {
			return filesOf(req, changed[3], changed[1], changed[0]), nil
		}
		return nil, nil
	}
	r := reflection.NewReader(c, reflection.Options{})
	for range 2 { // files that were read do not change
		files, err := r.Files(t.Context(), namesOf(2))
		if err != nil {
			t.Fatal(err)
		}
		wantLinked(t, files, namesOf(2)...)
		for i, name := range namesOf(2) {
			fd, _ := files[name].Link(t.Context())
			price := fd.Services().Get(0).Methods().Get(0).Input().Fields().ByName("price").Message()
			if price.Fields().Len() != i {
				t.Errorf("%s is linked with a Money of %d fields", name, price.Fields().Len())
			}
		}
	}
	if set, err := r.All(t.Context()); err == nil || !strings.Contains(err.Error(), "two versions of item.proto") || len(set.GetFile()) != 3 {
		t.Errorf("got %d files, %v", len(set.GetFile()), err)
	}
}

func TestAll(t *testing.T) {
	c := &fakeConn{files: shop(t, 5)}
	c.files = append(c.files, file(t, `name: "x.proto" package: "x" dependency: "google/type/money.proto" dependency: "elsewhere/base.proto" public_dependency: 1
		service { name: "X" method { name: "M" input_type: ".google.type.Money" output_type: ".base.Money" } }`),
		file(t, `name: "y.proto" package: "y" dependency: "x.proto" service { name: "Y" method { name: "M" input_type: ".base.Money" output_type: ".base.Money" } }`))
	set, err := reflection.NewReader(c, reflection.Options{}).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, fd := range set.GetFile() {
		for _, path := range fd.GetDependency() {
			if !seen[path] {
				t.Errorf("%s comes before %s, which it imports", fd.GetName(), path)
			}
		}
		seen[fd.GetName()] = true
	}
	for _, name := range append(namesOf(5), "x.X", "y.Y", "google.type.Money") {
		if _, err := files.FindDescriptorByName(name); err != nil {
			t.Error(err)
		}
	}
	money, err := files.FindDescriptorByName("base.Money")
	if err != nil {
		t.Fatal(err)
	}
	if at := money.ParentFile().SourceLocations().ByDescriptor(money); at.LeadingComments != " Money.\n" {
		t.Errorf("the comment is %q", at.LeadingComments)
	}
}

func TestLimits(t *testing.T) {
	deep := []*descriptorpb.FileDescriptorProto{file(t, `name: "s0.proto" package: "p" dependency: "1.proto" service { name: "S0" }`)}
	for i := 1; i < 20; i++ {
		deep = append(deep, file(t, fmt.Sprintf(`name: "%d.proto" dependency: "%d.proto"`, i, i+1)))
	}
	wide := file(t, `name: "s0.proto" package: "p" service { name: "S0" }`)
	for i := range 100 {
		wide.Dependency = append(wide.Dependency, fmt.Sprintf("missing/%d.proto", i))
	}
	long := file(t, fmt.Sprintf(`name: "s0.proto" package: "p" dependency: "%s.proto" service { name: "S0" }`, strings.Repeat("x", 2000)))
	plain := file(t, `name: "s0.proto" package: "p" message_type { name: "M" } service { name: "S0" }`)
	hang := func(s *fakeStream, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
		<-s.ctx.Done()
		return nil, status.FromContextError(s.ctx.Err()).Err()
	}
	for name, tt := range map[string]struct {
		conn   *fakeConn
		limits reflection.Limits
		want   string
	}{
		"bytes":              {&fakeConn{files: shop(t, 1)}, reflection.Limits{Bytes: 10}, "too large"},
		"files":              {&fakeConn{files: shop(t, 1)}, reflection.Limits{Files: 2}, "too large"},
		"imports":            {&fakeConn{files: []*descriptorpb.FileDescriptorProto{wide}}, reflection.Limits{Files: 50}, "50"},
		"depth":              {&fakeConn{files: deep}, reflection.Limits{Depth: 10}, "depth"},
		"depth of an answer": {&fakeConn{files: deep, closure: true}, reflection.Limits{Depth: 10}, "depth"},
		"name of an import":  {&fakeConn{files: []*descriptorpb.FileDescriptorProto{long}}, reflection.Limits{}, "1000"},
		"declarations":       {&fakeConn{files: []*descriptorpb.FileDescriptorProto{plain}}, reflection.Limits{Declarations: 16}, "declarations"},
		"full names":         {&fakeConn{files: []*descriptorpb.FileDescriptorProto{plain}}, reflection.Limits{FullNameBytes: 2}, "names"},
		"time":               {&fakeConn{answer: hang}, reflection.Limits{Time: time.Millisecond}, "DeadlineExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := reflection.NewReader(tt.conn, reflection.Options{Limits: tt.limits}).Files(t.Context(), namesOf(1))
			if f := files["p.S0"]; f != nil && err == nil {
				_, err = f.Link(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWrongAnswers(t *testing.T) {
	one := shop(t, 1)
	for name, tt := range map[string]struct {
		answer func(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse
		want   string
	}{
		"to another question": {func(*refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			return filesOf(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_FileByFilename{FileByFilename: "x"}}, one...)
		}, "another question"},
		"of another kind": {func(*refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			return &refv1.ServerReflectionResponse{MessageResponse: &refv1.ServerReflectionResponse_ListServicesResponse{}}
		}, "another kind"},
		"without anything": {func(*refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			return new(refv1.ServerReflectionResponse)
		}, "another kind"},
		"of files that disagree": {func(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			return filesOf(req, one[2], file(t, `name: "base.proto"`), one[0])
		}, "two versions of base.proto"},
		"of a cycle": {func(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			return filesOf(req, file(t, `name: "s.proto" package: "p" dependency: "t.proto" service { name: "S0" }`), file(t, `name: "t.proto" dependency: "s.proto"`))
		}, "import cycle: s.proto -> t.proto -> s.proto"},
		"with an import that is not UTF-8": {func(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
			res := filesOf(req, file(t, `name: "s.proto" package: "p" dependency: "t" service { name: "S0" }`))
			files := res.GetFileDescriptorResponse().GetFileDescriptorProto()
			files[0] = []byte(strings.Replace(string(files[0]), "\x1a\x01t", "\x1a\x01\xff", 1))
			return res
		}, "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &fakeConn{answer: func(_ *fakeStream, req *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
				return tt.answer(req), nil
			}}
			files, err := reflection.NewReader(c, reflection.Options{}).Files(t.Context(), namesOf(1))
			if f := files["p.S0"]; f != nil && err == nil {
				_, err = f.Link(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
