// Package reload tests what changes while the server runs: files, registrations
// and middleware. Calls in progress, and calls that come meanwhile, must not fail.
package reload
