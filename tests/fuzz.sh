#!/bin/sh
# Runs every fuzz target of the module: fuzz.sh [TIME], or fuzz.sh [COUNT]x for so
# many inputs each. The race detector checks pointer arithmetic as well. Targets
# that measure time and memory run without it, and not by count: a count is for
# continuous integration, whose machines are busy with other work.
set -eu
time=${1:-20s}
cd "$(dirname "$0")/.."
for pkg in $(go list ./...); do
	dir=$(go list -f '{{.Dir}}' "$pkg")
	for target in $(grep -hos '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //'); do
		race=-race
		case $target,$time in
		*Budget,*x) continue ;;
		*Budget,*) race= ;;
		esac
		echo "fuzz $pkg $target $time"
		go test $race -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$pkg"
	done
done
