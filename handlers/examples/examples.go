// Package examples implements the services of package protos. Each file is one
// service, written like a user's handlers: plain structs, plain functions, no
// generated code.
package examples

import (
	"time"

	"github.com/dyngate/dyngate/handlers"
)

// Options are the settings of the examples.
type Options struct {
	// Features is a JSON file of RouteGuide's features, an array of {"location":
	// {"latitude", "longitude"}, "name"} in E7 coordinates. Default: a small one
	// that is embedded.
	Features string

	// TaskInterval is how often Contact.getTask pushes tasks. Default 40 s.
	TaskInterval time.Duration
}

// Register registers the handlers of all services. It fails if the features
// cannot be read.
func Register(reg *handlers.Registry, opts Options) error {
	guide, err := newRouteGuide(opts.Features)
	if err != nil {
		return err
	}
	if opts.TaskInterval == 0 {
		opts.TaskInterval = 40 * time.Second
	}
	contact := contact{interval: opts.TaskInterval}

	reg.Handle("example.FormatData/DoFormat", handlers.Unary(doFormat))
	reg.Handle("GrpcService/hello", handlers.Unary(hello))
	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(greet))
	reg.Handle("Greeter", handlers.Unary(sayHello)) // both methods of the service
	reg.Handle("RouteGuide/GetFeature", handlers.Unary(guide.getFeature))
	reg.Handle("RouteGuide/ListFeature", handlers.ServerStream(guide.listFeature))
	reg.Handle("RouteGuide/RecordRoute", handlers.ClientStream(guide.recordRoute))
	reg.Handle("RouteGuide/RouteChat", handlers.Bidi(guide.routeChat))
	reg.Handle("compute.Compute/SayHello", handlers.Unary(count))
	reg.Handle("Cal/Add", handlers.Unary(add))
	reg.Handle("Cal/Multiply", handlers.Unary(multiply))
	reg.Handle("Contact/sendStatus", handlers.Bidi(contact.sendStatus))
	reg.Handle("Contact/getTask", handlers.ServerStream(contact.getTask))
	reg.Handle("Contact/tellResult", handlers.ClientStream(contact.tellResult))
	reg.Handle("firstmsg.FirstMsg/firstMsg", handlers.Unary(firstMsg))
	return nil
}
