package dispatch

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// dropOwn removes the registrations for services that the server itself answers, and
// reports them.
func (t *table) dropOwn(own map[protoreflect.FullName]*Service) (dropped []*diag.Diagnostic) {
	t.all = slices.DeleteFunc(t.all, func(e *entry) bool {
		name, _, _ := strings.Cut(e.pattern.Text, "/")
		if own[protoreflect.FullName(name)] == nil {
			return false
		}
		dropped = append(dropped, diag.New(diag.Warning, e.Position,
			"service %s is answered by the server itself: this registration is ignored", name))
		return true
	})
	return dropped
}
