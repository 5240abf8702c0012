// Package rig holds what the black-box tests share.
//
// A test sees what a user sees: the dyngate binary (Serve, Start, Run), a server
// in the test's own process (Local), and calls whose messages are raw bytes
// (Dial, Invoke, Open). Each function takes the test, fails it if something does
// not work, and stops what it has started when the test ends.
//
// A test never sleeps to wait for something. It polls with Eventually, or reads
// until a context from Context ends; both give up after Patience.
//
// Main is the TestMain of every package that uses the binary or a server. The
// binary is built when a test first needs it.
package rig
