//go:build race

package tests

// raceEnabled says that the binary is to be built with the race detector too.
const raceEnabled = true
