package scale

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// leafFile is a file of googleapis that no other file imports.
const leafFile = "google/example/library/v1/library.proto"

// leafService begins the paths of its methods.
const leafService = "/google.example.library.v1.LibraryService/"

// googleapis returns the path of the corpus, or skips the test.
func googleapis(t testing.TB) string {
	t.Helper()
	corpus := os.Getenv("DYNGATE_GOOGLEAPIS")
	if corpus == "" {
		t.Skip("DYNGATE_GOOGLEAPIS is not set to a checkout of googleapis")
	}
	return corpus
}

// TestGoogleapis serves the whole of the largest public corpus: 7,187 files, some of
// which define the same names in different ways. It is not parallel, as it logs how
// long each step takes.
func TestGoogleapis(t *testing.T) {
	corpus := googleapis(t)
	leaf := rig.Read(t, filepath.Join(corpus, leafFile))
	front := rig.Folder(t, map[string]string{leafFile: leaf})

	start := time.Now()
	p := rig.ServeUnraced(t, 4*rig.Patience, "--lenient", front, corpus) // some of its APIs have two methods at one HTTP path
	conn := rig.Dial(t, p.Addr(), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	const method = leafService + "GetShelf"
	_, err := rig.Invoke(rig.Context(t), conn, method, nil)
	rig.WantText(t, fmt.Sprint(err), "no handler answers it")
	t.Logf("first call answered after %v", time.Since(start).Round(time.Millisecond))

	start = time.Now()
	services, methods := countMethods(t, conn)
	t.Logf("%d services with %d methods listed in %v", services, methods, time.Since(start).Round(time.Millisecond))
	if services < 1700 || methods < 12_000 {
		t.Error("that is not all of googleapis")
	}

	start = time.Now()
	rig.Replace(t, filepath.Join(front, leafFile), withMethod(t, leaf, "DyngateTest"))
	const added = leafService + "DyngateTest"
	rig.Eventually(t, "the new method", func() bool {
		_, err := rig.Invoke(t.Context(), conn, added, nil)
		return strings.Contains(fmt.Sprint(err), "no handler answers it")
	})
	t.Logf("a new method was live %v after it was written", time.Since(start).Round(time.Millisecond))
	_, err = rig.Invoke(rig.Context(t), conn, method, nil)
	rig.WantCode(t, err, codes.Unimplemented)

	t.Logf("peak memory %d MiB", p.Memory("VmHWM")>>20)
}

// withMethod adds a method to the first service of a file, with the types of
// its first.
func withMethod(t testing.TB, content, name string) string {
	t.Helper()
	first := regexp.MustCompile(`rpc \w+(\([^)]*\)\s*returns\s*\([^)]*\))`).FindStringSubmatchIndex(content)
	if first == nil {
		t.Fatal("the leaf has no method")
	}
	return content[:first[0]] + "rpc " + name + content[first[2]:first[3]] + ";\n\n  " + content[first[0]:]
}

// countMethods counts the services that reflection lists, and their methods, on one
// stream.
func countMethods(t testing.TB, conn *grpc.ClientConn) (services, methods int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*rig.Patience)
	defer cancel()
	stream, err := refv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	rig.Must(t, err)
	ask := func(req *refv1.ServerReflectionRequest) *refv1.ServerReflectionResponse {
		rig.Must(t, stream.Send(req))
		res, err := stream.Recv()
		rig.Must(t, err)
		return res
	}
	listed := ask(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_ListServices{}})
	known := make(map[string]int) // the number of methods by service
	for _, service := range listed.GetListServicesResponse().GetService() {
		name := service.GetName()
		if strings.HasPrefix(name, "grpc.") {
			continue
		}
		if _, ok := known[name]; !ok { // it may be in the file of another
			res := ask(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name}})
			for _, file := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
				addMethods(t, known, file)
			}
			if _, ok := known[name]; !ok {
				t.Fatalf("reflection lists %s but does not describe it: %v", name, res)
			}
		}
		services++
		methods += known[name]
	}
	rig.Must(t, stream.CloseSend())
	return services, methods
}

func addMethods(t testing.TB, known map[string]int, file []byte) {
	t.Helper()
	var fd descriptorpb.FileDescriptorProto
	rig.Must(t, proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(file, &fd))
	for _, service := range fd.GetService() {
		known[strings.TrimPrefix(fd.GetPackage()+"."+service.GetName(), ".")] = len(service.GetMethod())
	}
}
