package logattr_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/internal/logattr"
)

func TestMilliseconds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                         `"took_ms":0}`,
		812_345 * time.Nanosecond: `"took_ms":0.812}`,
		15 * time.Second:          `"took_ms":15000}`,
	} {
		var out bytes.Buffer
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", logattr.Milliseconds("took", d))
		if got := strings.TrimSpace(out.String()); !strings.HasSuffix(got, want) {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
