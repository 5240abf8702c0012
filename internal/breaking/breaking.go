// Package breaking finds the changes of a schema that break callers built against
// an older version: on the wire, in JSON, or because a method was removed.
//
//	for _, change := range breaking.Compare(old, now) { ... }
//
// The rules and their names are those of buf's category WIRE_JSON, and two more
// of buf's rules for methods and services that were removed: RPC_NO_DELETE and
// PACKAGE_SERVICE_NO_DELETE. docs/guides/checking.md lists them, and where they
// differ from buf's.
//
// Files are paired by their import paths. Messages, enums and services are
// paired by their full names, wherever they moved.
package breaking

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// Change is one breaking change.
type Change struct {
	Rule    string        // the name of the rule, such as FIELD_SAME_NAME
	Message string        // one sentence that says what broke
	Old     diag.Position // in the old version
	New     diag.Position // in the new version; of the parent if the declaration was removed; zero if the file was
}

// Compare returns the breaking changes from old to now, sorted by their new
// position. Declarations in a broken file of either snapshot are not compared and
// do not count as removed.
func Compare(old, now *schema.Snapshot) []Change {
	c := &comparison{old: newSide(old), now: newSide(now)}
	was, is := c.old.declarations(c.now), c.now.declarations(c.old)
	for _, p := range pairUp(was.files, is.files, func(f protoreflect.FileDescriptor) string { return f.Path() }) {
		check(c, fileRules, p[0], p[1])
	}
	for _, p := range pairUp(was.messages, is.messages, nameOf) {
		check(c, messageRules, p[0], p[1])
		c.fields(p[0].Fields(), p[1].Fields())
	}
	for _, p := range pairUp(was.extensions, is.extensions, extensionOf) {
		check(c, fieldRules, p[0], p[1])
	}
	for _, p := range pairUp(was.enums, is.enums, nameOf) {
		check(c, enumRules, p[0], p[1])
	}
	c.services()
	slices.SortFunc(c.changes, func(a, b Change) int {
		return cmp.Or(comparePositions(a.New, b.New), comparePositions(a.Old, b.Old),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return c.changes
}

func comparePositions(a, b diag.Position) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// rule finds the breaking changes between two versions of a declaration.
type rule[D protoreflect.Descriptor] struct {
	name string
	find func(old, now D) []finding
}

// finding is one violation of a rule.
type finding struct {
	message  string
	old, now protoreflect.Descriptor // the declarations that it is about; nil for those that were compared
}

// breaks returns a single finding, about the two declarations that were compared.
func breaks(format string, args ...any) []finding {
	return []finding{{message: fmt.Sprintf(format, args...)}}
}

// comparison is one run of Compare.
type comparison struct {
	old, now side
	changes  []Change
}

func check[D protoreflect.Descriptor](c *comparison, rules []rule[D], old, now D) {
	for _, r := range rules {
		for _, f := range r.find(old, now) {
			c.changes = append(c.changes, Change{
				Rule: r.name, Message: f.message,
				Old: c.old.position(cmp.Or[protoreflect.Descriptor](f.old, old)),
				New: c.now.position(cmp.Or[protoreflect.Descriptor](f.now, now)),
			})
		}
	}
}
