//go:build race

package structs_test

const raceEnabled = true
