package main

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written := func() string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if newProgress(f).w != nil {
		t.Error("a file counts as a terminal")
	}
	synctest.Test(t, func(t *testing.T) {
		p := &progress{w: f}
		p.files(1)
		time.Sleep(progressAfter / 2)
		p.files(2)
		p.files(0)
		if got := written(); got != "" {
			t.Errorf("short work wrote %q", got)
		}
		p.files(3)
		time.Sleep(progressAfter)
		p.files(4)
		p.files(5) // too soon
		time.Sleep(progressEvery)
		p.files(6)
		p.files(0)
		const want = "\r\x1b[Kreading schemas: 4 files...\r\x1b[Kreading schemas: 6 files...\r\x1b[K"
		if got := written(); got != want {
			t.Errorf("wrote %q", got)
		}
		p.loading(1, 0)
		time.Sleep(progressAfter)
		p.loading(2, 0)
		time.Sleep(progressEvery)
		p.loading(3, 4)
		p.stop()
		time.Sleep(progressAfter)
		p.loading(4, 4)
		const loading = "\r\x1b[Kreading schemas: 2 files...\r\x1b[Kcompiling schemas: 3 of 4 files...\r\x1b[K"
		if got := written(); got != loading {
			t.Errorf("got %q, want %q", got, loading)
		}
	})
}
