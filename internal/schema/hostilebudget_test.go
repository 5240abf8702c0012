//go:build unix

package schema_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// The budget of a megabyte of any input. The time is that of all cores.
const (
	budgetSize   = 1 << 20
	budgetTime   = 10 * time.Second
	budgetMemory = 512 << 20
)

// inputSize is the size of each input: with a megabyte, all of them take a
// minute.
func inputSize() int {
	if n, err := strconv.Atoi(os.Getenv("DYNGATE_HOSTILE_SIZE")); err == nil {
		return n
	}
	return budgetSize / 4
}

// hostileSets returns descriptor sets by name, each of about size bytes.
var hostileSets = map[string]func(size int) []byte{
	"names of a long package": func(n int) []byte {
		fd := &descriptorpb.FileDescriptorProto{Name: proto.String("x.proto"), Package: proto.String(rep("a", n/2))}
		for i := range n / 20 {
			fd.MessageType = append(fd.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("m" + strconv.Itoa(i))})
		}
		return setOf(fd)
	},
	"deep names": func(n int) []byte {
		var m *descriptorpb.DescriptorProto
		for range 9000 {
			outer := &descriptorpb.DescriptorProto{Name: proto.String(rep("m", n/9000))}
			if m != nil {
				outer.NestedType = append(outer.NestedType, m)
			}
			m = outer
		}
		return setOf(&descriptorpb.FileDescriptorProto{Name: proto.String("x.proto"), MessageType: []*descriptorpb.DescriptorProto{m}})
	},
	"empty files": func(n int) []byte { return []byte(rep("\x0a\x00", n/2)) },
	"bad bytes":   func(n int) []byte { return []byte(rep("\x0a\x01\xff", n/3)) },
	"defaults": func(n int) []byte {
		m := &descriptorpb.DescriptorProto{Name: proto.String("M")}
		for i := range n / 40 {
			m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
				Name: proto.String("f" + strconv.Itoa(i)), Number: proto.Int32(int32(20000 + i)),
				Type: descriptorpb.FieldDescriptorProto_TYPE_DOUBLE.Enum(), DefaultValue: proto.String("1e999999999"),
			})
		}
		return setOf(&descriptorpb.FileDescriptorProto{Name: proto.String("x.proto"), MessageType: []*descriptorpb.DescriptorProto{m}})
	},
	"public imports": func(n int) []byte {
		var files []*descriptorpb.FileDescriptorProto
		for i := 0; i*i*4 < n/4; i++ {
			fd := &descriptorpb.FileDescriptorProto{Name: proto.String(strconv.Itoa(i))}
			for j := range i {
				fd.Dependency = append(fd.Dependency, strconv.Itoa(j))
				fd.PublicDependency = append(fd.PublicDependency, int32(j))
			}
			files = append(files, fd)
		}
		return setOf(files...)
	},
	"missing imports": func(n int) []byte {
		fd := &descriptorpb.FileDescriptorProto{Name: proto.String("x.proto")}
		for i := range n / 10 {
			fd.Dependency = append(fd.Dependency, "a"+strconv.Itoa(i))
		}
		return setOf(fd)
	},
}

func setOf(files ...*descriptorpb.FileDescriptorProto) []byte {
	var set []byte
	for _, fd := range files {
		content, _ := proto.Marshal(fd)
		set = protowire.AppendBytes(protowire.AppendTag(set, 1, protowire.BytesType), content)
	}
	return set
}

// TestHostileBudget compiles each hostile input in a separate process, and measures its time and
// memory.
func TestHostileBudget(t *testing.T) {
	t.Parallel()
	if raceEnabled || testing.Short() {
		t.Skip("takes most of a minute; the race detector takes ten times the time and memory")
	}
	for name, files := range hostileInputs {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for p, text := range files(inputSize()) {
				write(t, filepath.Join(dir, p), text)
			}
			write(t, filepath.Join(dir, "good.proto"), good)
			withinBudget(t, dir)
		})
	}
	for name, content := range hostileSets {
		t.Run("set of "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.binpb")
			write(t, path, string(content(inputSize())))
			withinBudget(t, path)
		})
	}
}

func withinBudget(t *testing.T, path string) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileChild$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "DYNGATE_HOSTILE_INPUT="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %.2000s", err, out)
	}
	if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used > budgetTime {
		t.Errorf("%s of time", used)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss<<10 > budgetMemory {
		t.Errorf("%d MiB of memory", usage.Maxrss>>10)
	}
}

// TestHostileChild is the process of TestHostileBudget for one input.
func TestHostileChild(t *testing.T) {
	path := os.Getenv("DYNGATE_HOSTILE_INPUT")
	if path == "" {
		t.Skip("for TestHostileBudget")
	}
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}}))
	count := make(map[string]int)
	for _, d := range s.Diagnostics() {
		count[d.Path]++
		if len(d.Text) > 20_000 || len(d.Message) > 2000 || d.Message == "" {
			t.Errorf("a diagnostic of %d bytes: %.300s", len(d.Text), d.Text)
		}
	}
	for file, n := range count {
		if n > 202 { // errors and hints, and the numbers of omitted ones
			t.Errorf("%d diagnostics of %s", n, file)
		}
	}
	for _, f := range s.Files() {
		if f.Path() == "good.proto" && f.Descriptor() == nil {
			t.Errorf("the good file: %v", f.Errors())
		}
	}
	if _, err := json.Marshal(s.Diagnostics()); err != nil {
		t.Error(err)
	}
}

// TestLongTexts compiles valid texts that are long enough to be parsed in
// pieces first.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"messages", "fields", "maps", "oneofs", "optionals", "groups", "enums", "services", "methods", "extensions", "custom options",
		"option literals", "option lists", "option numbers", "option arrays", "reserved names", "reserved numbers", "extension ranges",
		"comments between", "long identifier", "string", "many exponents", "many long numbers",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "x.proto"), hostileInputs[name](200_000)["x.proto"])
			s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
			for _, d := range s.Errors() {
				t.Error(strings.TrimSpace(d.Text))
			}
		})
	}
}
