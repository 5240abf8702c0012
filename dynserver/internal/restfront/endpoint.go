package restfront

import (
	"net/http"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/httprule"
)

// endpoint is a binding with everything that serving it needs. It is immutable.
type endpoint struct {
	*httprule.Binding
	route *dispatch.Served

	plans   *transcode.Plans
	in, out *transcode.Plan // of the method's messages

	vars  []transcode.Param // the variables of the path
	wrong error             // a variable that cannot be set; loading should have found it

	manyIn, manyOut bool
	rawIn, rawOut   *rawBody                     // if the body is a google.api.HttpBody
	mask            protoreflect.FieldDescriptor // the update_mask that the body's fields are put into, or nil
	required        bool                         // the request or a message in it has required fields
}

// endpoints are the endpoints of one generation, compiled when they are first used.
type endpoints struct {
	byBinding sync.Map // *httprule.Binding: *endpoint
	byRoute   sync.Map // *dispatch.Served: *endpoint, of the default bindings
}

func newEndpoints(*dispatch.Generation) *endpoints { return new(endpoints) }

// ofBinding returns the endpoint of a binding.
func (e *endpoints) ofBinding(g *dispatch.Generation, b *httprule.Binding) *endpoint {
	if found, ok := e.byBinding.Load(b); ok {
		return found.(*endpoint) //nolint:forcetypeassert // nothing else is stored
	}
	route := g.Route(b.Path())
	if route == nil {
		return nil
	}
	found, _ := e.byBinding.LoadOrStore(b, newEndpoint(b, route))
	return found.(*endpoint) //nolint:forcetypeassert // nothing else is stored
}

// ofRoute returns the endpoint of a method's default binding.
func (e *endpoints) ofRoute(route *dispatch.Served) *endpoint {
	if found, ok := e.byRoute.Load(route); ok {
		return found.(*endpoint) //nolint:forcetypeassert // nothing else is stored
	}
	found, _ := e.byRoute.LoadOrStore(route, newEndpoint(httprule.Default(route.Method), route))
	return found.(*endpoint) //nolint:forcetypeassert // nothing else is stored
}

func newEndpoint(b *httprule.Binding, route *dispatch.Served) *endpoint {
	m := route.Method
	plans := plansOf(m.Types)
	e := &endpoint{
		Binding: b, route: route, plans: plans,
		in: plans.Plan(m.Input()), out: plans.Plan(m.Output()),
		manyIn: m.IsStreamingClient(), manyOut: m.IsStreamingServer(),
		rawOut:   rawBodyIn(m.Output(), httprule.Body{Whole: b.Response == nil, Field: b.Response}),
		rawIn:    rawBodyIn(m.Input(), b.Body),
		required: hasRequired(m.Input(), make(map[protoreflect.MessageDescriptor]bool)),
	}
	for _, v := range b.Vars {
		x, err := e.in.Param(v.Field)
		if err != nil {
			e.wrong = err
		}
		e.vars = append(e.vars, x)
	}
	if b.Verb == http.MethodPatch {
		e.mask = updateMask(m.Input(), b.Body.Field)
	}
	return e
}

// plansOf returns the plans of the types of a method's closure, which keeps them.
func plansOf(types any) *transcode.Plans {
	if t, ok := types.(interface{ JSONPlans() *transcode.Plans }); ok {
		return t.JSONPlans()
	}
	return globalPlans
}

// globalPlans are the plans for errors of requests that reach no method.
var globalPlans = transcode.NewPlans(nil)

// takesBody reports whether requests may have a body.
func (e *endpoint) takesBody() bool { return e.Body.Whole || e.Body.Field != nil }

// hasRequired reports whether a message may lack required fields: its own, or those
// of a message that it can contain.
func hasRequired(md protoreflect.MessageDescriptor, seen map[protoreflect.MessageDescriptor]bool) bool {
	if seen[md] {
		return false
	}
	seen[md] = true
	if md.RequiredNumbers().Len() > 0 || md.ExtensionRanges().Len() > 0 || md.FullName() == "google.protobuf.Any" {
		return true // extensions and what an Any holds may have them
	}
	for i := range md.Fields().Len() {
		if inner := md.Fields().Get(i).Message(); inner != nil && hasRequired(inner, seen) {
			return true
		}
	}
	return false
}

// updateMask returns the field update_mask of a message, if the body of its PATCH
// requests is one message field.
func updateMask(md protoreflect.MessageDescriptor, body protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	if body == nil || body.Message() == nil || body.IsList() || body.IsMap() {
		return nil
	}
	mask := md.Fields().ByName("update_mask")
	if mask == nil || mask.Message() == nil || mask.IsList() || mask.Message().FullName() != "google.protobuf.FieldMask" {
		return nil
	}
	return mask
}
