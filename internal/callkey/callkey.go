// Package callkey defines the context key of a call. Package handlers reads the
// call; package dispatch stores it, in its own type of context, which is
// cheaper than context.WithValue.
package callkey

// Key is the key of a handlers.Call.
type Key struct{}
