// Package client tests dyngate as a client, the package dynclient as well as the
// commands call, list and describe, with servers that others wrote and with servers
// that break the rules.
package client
