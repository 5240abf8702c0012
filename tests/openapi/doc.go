// Package openapi validates the OpenAPI documents of dyngate with a validator that
// others wrote, and what the server sends against them.
//
// It is a module of its own, so that programs that import dyngate do not get the
// modules of the validator. `make openapi` runs it.
package openapi
