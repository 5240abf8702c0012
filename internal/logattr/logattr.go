// Package logattr has the attributes of logs that several packages write.
package logattr

import (
	"log/slog"
	"time"
)

// Milliseconds returns a duration as a number of milliseconds, to the
// microsecond. The key gets the suffix "_ms", so that the unit is known in text
// and in JSON.
func Milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key+"_ms", float64(d.Microseconds())/1000)
}
