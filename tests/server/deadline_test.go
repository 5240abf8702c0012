package server

import (
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestDefaultDeadlineSilent has callers that set no deadline and then neither send
// nor receive: the handler waits for the caller, not for its context.
func TestDefaultDeadlineSilent(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--default-deadline", "200ms", "--access-log", "1", "--log-format", "json", "--task-interval", "1us")
	conn := rig.Dial(t, p.Addr())
	for name, test := range map[string]struct {
		path string
		send [][]byte
	}{
		"unary":                       {rig.SayHello, nil},
		"server stream":               {rig.GetTask, nil},
		"client stream":               {"/Contact/tellResult", nil},
		"client stream, then nothing": {"/Contact/tellResult", [][]byte{rig.Text(1, "one"), rig.Text(1, "two")}},
		"bidi":                        {rig.SendStatus, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := rig.Open(t.Context(), t, conn, test.path).Send(test.send...)
			_, err := soonAll(t, stream)
			rig.WantCode(t, err, codes.DeadlineExceeded)
		})
	}
	t.Run("unread", func(t *testing.T) {
		t.Parallel()
		// Endless tasks fill the caller's window within the deadline. The log
		// shows that the call ended before anything was received.
		stream := rig.Open(t.Context(), t, rig.Dial(t, p.Addr()), rig.GetTask).Send(nil).Done()
		rig.Eventually(t, "the call to end", func() bool {
			return unread.MatchString(p.Stderr.String())
		})
		_, err := soonAll(t, stream)
		rig.WantCode(t, err, codes.DeadlineExceeded)
	})
	if strings.Contains(p.Stderr.String(), "panicked") {
		t.Error("a handler panicked")
	}
}

// unread matches the log line of a call that received one message. The silent calls
// received none.
var unread = regexp.MustCompile(`"method":"Contact/getTask","code":"DeadlineExceeded","took_ms":[\d.]+,"in":1,`)

// soonAll receives until the call ends, which it must although it sets no deadline.
func soonAll(t testing.TB, stream *rig.Stream) (messages [][]byte, err error) {
	t.Helper()
	err = soon(t, "the call", func() (err error) {
		messages, err = stream.All()
		return err
	})
	return messages, err
}
