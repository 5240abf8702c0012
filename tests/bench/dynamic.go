package main

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
)

// dynamicHandlers answer with messages of types that they do not know.
func dynamicHandlers() *handlers.Registry {
	reg := handlers.NewRegistry()
	reg.Handle("dyngate.bench.Shop/Greet", handlers.Unary(dynamicGreet))
	reg.Handle("dyngate.bench.Shop/Price", handlers.Unary(dynamicPrice))
	return reg
}

func dynamicGreet(ctx context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) {
	out := handlers.MethodFrom(ctx).NewReply()
	out.Set(field(out, "message"), protoreflect.ValueOfString("Hello, "+get(in, "name").String()+"!"))
	return out, nil
}

// dynamicPrice answers with the request, changed, as the others do.
func dynamicPrice(_ context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) {
	var total price
	items := get(in, "items").List()
	for n := range items.Len() {
		i := items.Get(n).Message()
		cost, discount, quantity := get(i, "price").Message(), get(i, "discount").Message(), get(i, "quantity").Int()
		total.add(quantity, get(cost, "units").Int(), get(cost, "nanos").Int())
		total.add(-quantity, get(discount, "units").Int(), get(discount, "nanos").Int())
	}
	units, nanos := total.sum()
	sum := in.Mutable(field(in, "total")).Message()
	sum.Set(field(sum, "units"), protoreflect.ValueOfInt64(units))
	sum.Set(field(sum, "nanos"), protoreflect.ValueOfInt32(nanos))
	return in, nil
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func get(m protoreflect.Message, name protoreflect.Name) protoreflect.Value {
	return m.Get(field(m, name))
}
