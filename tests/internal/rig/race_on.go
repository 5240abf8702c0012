//go:build race

package rig

// RaceEnabled reports whether the tests have the race detector.
const RaceEnabled = true
