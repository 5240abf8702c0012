package tests

import (
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
)

// TestDefaultDeadlineSilent has callers who set no deadline and then neither
// send nor take anything: the handler is not waiting on its context then, but
// on the caller.
func TestDefaultDeadlineSilent(t *testing.T) {
	t.Parallel()
	p := serve(t, "--default-deadline", "200ms", "--access-log", "1", "--log-format", "json", "--task-interval", "1us")
	conn := dial(t, p.addr())
	for name, test := range map[string]struct {
		path string
		send [][]byte
	}{
		"unary":                       {sayHello, nil},
		"server stream":               {getTask, nil},
		"client stream":               {"/Contact/tellResult", nil},
		"client stream, then nothing": {"/Contact/tellResult", [][]byte{text(1, "one"), text(1, "two")}},
		"bidi":                        {sendStatus, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := open(t.Context(), t, conn, test.path).send(test.send...)
			_, err := soonAll(t, stream)
			wantCode(t, err, codes.DeadlineExceeded)
		})
	}
	t.Run("unread", func(t *testing.T) {
		t.Parallel()
		// Endless tasks fill the caller's window within the deadline. The log
		// tells that the call ended before anything was taken.
		stream := open(t.Context(), t, dial(t, p.addr()), getTask).send(nil).done()
		eventually(t, "the call to end", func() bool {
			return unread.MatchString(p.log.String())
		})
		_, err := soonAll(t, stream)
		wantCode(t, err, codes.DeadlineExceeded)
	})
	if strings.Contains(p.log.String(), "panicked") {
		t.Error("a handler panicked")
	}
}

// unread is the log line of a call that was sent one message, unlike the silent
// ones.
var unread = regexp.MustCompile(`"method":"Contact/getTask","code":"DeadlineExceeded","took":\d+,"in":1,`)

// soonAll receives to the end, which must come although the call has no
// deadline of its own.
func soonAll(t testing.TB, stream *rawStream) (messages [][]byte, err error) {
	t.Helper()
	err = soon(t, "the call", func() (err error) {
		messages, err = stream.all()
		return err
	})
	return messages, err
}
