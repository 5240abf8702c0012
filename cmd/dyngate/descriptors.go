package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynclient"
)

// describesServer reports whether a service is one by which a server describes
// itself. Whoever serves the server's descriptor set brings such services too.
func describesServer(sym *dynclient.Symbol) bool {
	return slices.ContainsFunc([]string{"grpc.reflection.", "grpc.health.", "grpc.channelz."}, func(pkg string) bool {
		return strings.HasPrefix(string(sym.FullName()), pkg)
	})
}

// writeDescriptors writes the files of the symbols, and what they import, as a
// FileDescriptorSet: each file after its imports, with comments where they are
// known.
func writeDescriptors(name string, symbols []*dynclient.Symbol) error {
	var set descriptorpb.FileDescriptorSet
	seen := make(map[string]bool)
	for _, sym := range symbols {
		addFiles(&set, seen, sym, sym.ParentFile())
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&set)
	if err == nil {
		err = replaceFile(name, b)
	}
	if err != nil {
		return fmt.Errorf("--descriptors-out: %w", err)
	}
	return nil
}

func addFiles(set *descriptorpb.FileDescriptorSet, seen map[string]bool, sym *dynclient.Symbol, fd protoreflect.FileDescriptor) {
	if seen[fd.Path()] || fd.IsPlaceholder() {
		return
	}
	seen[fd.Path()] = true
	for i := range fd.Imports().Len() {
		addFiles(set, seen, sym, fd.Imports().Get(i).FileDescriptor)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(sym.Sibling(fd).File()))
}

// replaceFile writes a file completely or not at all: it writes a temporary file in
// the same folder and renames it. A file that is not regular, such as a pipe, is
// written directly.
func replaceFile(name string, content []byte) (err error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, content, 0o666) //nolint:gosec // the umask decides
	}
	temporary, createErr := createBeside(name)
	if createErr != nil {
		return createErr
	}
	if err == nil {
		_ = temporary.Chmod(info.Mode().Perm()) // not every file system can
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}()
	_, err = temporary.Write(content)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), name)
}

// createBeside creates a file in the same folder. The umask decides who may read
// it; with os.CreateTemp only its owner could.
func createBeside(name string) (*os.File, error) {
	for i := 0; ; i++ {
		path := fmt.Sprintf("%s.%d-%d.tmp", name, os.Getpid(), i)
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides
		if !errors.Is(err, fs.ErrExist) || i == 100 {
			return file, err
		}
	}
}
