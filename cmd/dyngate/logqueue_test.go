package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

func testQueue(out io.Writer) *logQueue {
	return newLogQueue(out, func(dropped int) []byte { return fmt.Appendf(nil, "%d dropped\n", dropped) })
}

// TestLogQueue writes through a queue that is read.
func TestLogQueue(t *testing.T) {
	var out bytes.Buffer
	q := testQueue(&out)
	huge := strings.Repeat("x", 2*logQueueBytes) + "\n"
	fmt.Fprint(q, huge) // nothing else waits
	q.close()
	fmt.Fprintln(q, "too late")
	if out.String() != huge {
		t.Errorf("%d bytes were written, want %d", out.Len(), len(huge))
	}
}

// TestLogQueueUnread writes to a pipe that is not read, and then is.
func TestLogQueueUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		q := testQueue(w)
		fmt.Fprintln(q, "first")
		synctest.Wait() // it is being written
		line := strings.Repeat("x", 1023) + "\n"
		for range 2000 {
			fmt.Fprint(q, line)
		}
		read := make(chan string)
		go func() {
			b, _ := io.ReadAll(r)
			read <- string(b)
		}()
		q.close()
		_ = w.Close()
		if got, want := <-read, "first\n"+strings.Repeat(line, 1024)+"976 dropped\n"; got != want {
			t.Errorf("read %d bytes that end with %q, want %d", len(got), got[max(0, len(got)-20):], len(want))
		}
	})
}

// TestLogQueueStuck closes a queue whose pipe is never read.
func TestLogQueueStuck(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		r, w := io.Pipe()
		q := testQueue(w)
		fmt.Fprintln(q, "nobody reads this")
		q.close()     // returns, though not at once
		_ = r.Close() // ends the goroutine
	})
}
