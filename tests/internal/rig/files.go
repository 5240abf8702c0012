package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Folder makes a temporary folder of these files, by path.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		Write(t, filepath.Join(dir, name), content)
	}
	return dir
}

// Read returns the content of a file.
func Read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	Must(t, err)
	return string(b)
}

// Write writes a file, and makes its folder.
func Write(t testing.TB, path, content string) {
	t.Helper()
	Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	Must(t, os.WriteFile(path, []byte(content), 0o644))
}

// Replace writes a file as most editors do: under another name in the same
// folder, which is then changed to path.
func Replace(t testing.TB, path, content string) {
	t.Helper()
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".swp")
	Write(t, temporary, content)
	Must(t, os.Rename(temporary, path))
}

// ServiceProto returns a file of package p that declares a service of this name,
// with the method Do. The text names the service in every declaration.
func ServiceProto(name string) string {
	return fmt.Sprintf("syntax = \"proto3\";\npackage p;\nmessage %[1]sMessage { string text = 1; }\nservice %[1]s {\n  rpc Do(%[1]sMessage) returns (%[1]sMessage);\n}\n", name)
}
