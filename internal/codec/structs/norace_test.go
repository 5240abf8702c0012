//go:build !race

package structs_test

const raceEnabled = false
