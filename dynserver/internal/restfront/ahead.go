package restfront

import (
	"io"
	"net/http"
	"sync"
)

// ahead reads a body before its reader asks, up to a limit. With HTTP/1.1, net/http
// notices that a caller has gone away only while the body is read, or when it has
// ended.
type ahead struct {
	lost func(error) // called if the body fails

	mu     sync.Mutex
	change sync.Cond
	buf    []byte // read, but not taken yet
	err    error  // after buf
	closed bool

	done chan struct{}
}

// aheadBytes limits what is read ahead.
const aheadBytes = 32 << 10

// readAhead begins to read a body. The goroutine ends when the body has ended or
// failed, and after close.
func readAhead(body io.Reader, lost func(error)) *ahead {
	a := &ahead{lost: lost, done: make(chan struct{})}
	a.change.L = &a.mu
	go a.run(body)
	return a
}

func (a *ahead) run(body io.Reader) {
	defer close(a.done)
	chunk := make([]byte, 4<<10)
	for a.hasRoom() {
		n, err := body.Read(chunk)
		if err != nil && err != io.EOF {
			a.lost(err)
		}
		a.mu.Lock()
		a.buf = append(a.buf, chunk[:n]...)
		a.err = err
		a.mu.Unlock()
		a.change.Broadcast()
		if err != nil {
			return
		}
	}
}

// hasRoom waits until more may be read. It returns false after close.
func (a *ahead) hasRoom() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.buf) >= aheadBytes && !a.closed {
		a.change.Wait()
	}
	return !a.closed
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.buf) == 0 && a.err == nil && !a.closed {
		a.change.Wait()
	}
	n := copy(p, a.buf)
	if a.buf = a.buf[n:]; n > 0 {
		a.change.Broadcast()
		return n, nil
	}
	if a.err == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	return 0, a.err
}

// close ends the goroutine. Unless the body has ended, a deadline that has passed must
// have been set for it.
func (a *ahead) close(wait bool) {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.change.Broadcast()
	if wait {
		<-a.done
	}
}

// ended reports whether the whole body has been read.
func (a *ahead) ended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err == io.EOF
}
