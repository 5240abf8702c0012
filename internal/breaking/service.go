package breaking

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// services compares the services by name. A snapshot has only one of each name.
func (c *comparison) services() {
	good := make(map[protoreflect.FullName]*schema.Service)
	for _, s := range c.now.snap.Services() {
		good[s.Desc.FullName()] = s
	}
	broken := make(map[protoreflect.FullName]bool)
	for _, s := range c.now.snap.Broken() {
		broken[s.Name] = true
	}
	for _, s := range c.old.snap.Services() {
		name := s.Desc.FullName()
		switch now := good[name]; {
		case now != nil:
			c.service(s.Desc, now.Desc)
		case !broken[name] && !c.now.broken(s.File.Path()):
			c.removed(s)
		}
	}
}

func (c *comparison) service(old, now protoreflect.ServiceDescriptor) {
	check(c, serviceRules, old, now)
	for i := range old.Methods().Len() {
		if n := now.Methods().ByName(old.Methods().Get(i).Name()); n != nil {
			check(c, methodRules, old.Methods().Get(i), n)
		}
	}
}

func (c *comparison) removed(s *schema.Service) {
	change := Change{
		Rule:    "PACKAGE_SERVICE_NO_DELETE",
		Message: fmt.Sprintf("service %s was removed", s.Desc.FullName()),
		Old:     c.old.position(s.Desc),
	}
	if f := c.now.snap.File(s.File.Path()); f != nil {
		change.New.Path = f.Location()
	}
	c.changes = append(c.changes, change)
}

var serviceRules = []rule[protoreflect.ServiceDescriptor]{
	{"RPC_NO_DELETE", func(old, now protoreflect.ServiceDescriptor) (found []finding) {
		for i := range old.Methods().Len() {
			if m := old.Methods().Get(i); now.Methods().ByName(m.Name()) == nil {
				found = append(found, finding{message: fmt.Sprintf("method %s was removed", m.FullName()), old: m})
			}
		}
		return found
	}},
}

var methodRules = []rule[protoreflect.MethodDescriptor]{
	{"RPC_SAME_REQUEST_TYPE", func(old, now protoreflect.MethodDescriptor) []finding {
		return changed(now, "request type", old.Input().FullName(), now.Input().FullName())
	}},
	{"RPC_SAME_RESPONSE_TYPE", func(old, now protoreflect.MethodDescriptor) []finding {
		return changed(now, "response type", old.Output().FullName(), now.Output().FullName())
	}},
	{"RPC_SAME_CLIENT_STREAMING", func(old, now protoreflect.MethodDescriptor) []finding {
		return changed(now, "request", streaming(old.IsStreamingClient()), streaming(now.IsStreamingClient()))
	}},
	{"RPC_SAME_SERVER_STREAMING", func(old, now protoreflect.MethodDescriptor) []finding {
		return changed(now, "response", streaming(old.IsStreamingServer()), streaming(now.IsStreamingServer()))
	}},
	{"RPC_SAME_IDEMPOTENCY_LEVEL", func(old, now protoreflect.MethodDescriptor) []finding {
		return changed(now, "idempotency level", idempotency(old), idempotency(now))
	}},
}

func changed[T comparable](m protoreflect.MethodDescriptor, what string, was, is T) []finding {
	if was == is {
		return nil
	}
	return breaks("the %s of method %s changed from %v to %v", what, m.FullName(), was, is)
}

func streaming(yes bool) string {
	if yes {
		return "a stream"
	}
	return "one message"
}

func idempotency(m protoreflect.MethodDescriptor) descriptorpb.MethodOptions_IdempotencyLevel {
	options, _ := m.Options().(*descriptorpb.MethodOptions)
	return options.GetIdempotencyLevel()
}
