// Package web tests the HTTP port: where it listens, TLS and certificates that change,
// limits, pages of other origins, and the end of the server; and what callers see of
// methods by their HTTP rules.
package web
