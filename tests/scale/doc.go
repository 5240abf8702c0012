// Package scale measures what takes milliseconds and more: an edit until it is
// live, a cold start, and memory. Its tests and most of its benchmarks serve all of
// googleapis and need DYNGATE_GOOGLEAPIS, the path of a checkout.
//
// Benchmarks of calls are in the folder bench.
package scale
