// Package callkey is the key of a call in its context. Packages handlers and
// dispatch share it: the one asks for the call, the other has it in a context of
// its own type, which costs each call less than context.WithValue does.
package callkey

// Key is the key. The value is a handlers.Call.
type Key struct{}
