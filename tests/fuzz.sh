#!/bin/sh
# Runs every fuzz target of the module for a bounded time each: fuzz.sh [TIME]. The
# race detector checks pointer arithmetic as well.
set -eu
time=${1:-20s}
cd "$(dirname "$0")/.."
for pkg in $(go list ./...); do
	dir=$(go list -f '{{.Dir}}' "$pkg")
	for target in $(grep -hos '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //'); do
		echo "fuzz $pkg $target $time"
		go test -race -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$pkg"
	done
done
