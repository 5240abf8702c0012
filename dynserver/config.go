package dynserver

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schema"
)

// Source is a place that schemas come from: see [Path] and [FS].
type Source = schema.Source

// Path is a folder of .proto files (the folder is an import root, as protoc's
// -I has it), a single .proto file, or a file that holds a FileDescriptorSet or
// buf image (.binpb, .pb, .desc, .json, .txtpb, also with .gz).
func Path(path string) Source { return schema.Path(path) }

// FS is a file system as an import root, an embedded one for example. Name
// stands for it in messages. It is read at each reload, and not watched unless it
// is a [ChangingFS].
func FS(name string, fsys fs.FS) Source { return schema.FS(name, fsys) }

// ChangingFS is a file system that reports when it changes. A server that watches
// its sources then reloads.
type ChangingFS interface {
	fs.FS

	// Changed returns a channel that is closed at the next change, as ctx.Done does
	// when a context ends. The server asks for it before it reads the files, and again
	// before it reads them the next time, so no change is lost. There may be several
	// servers. Nil means that there will be no change.
	Changed() <-chan struct{}
}

// SchemaLimits bound what schemas may cost. The zero value stands for the
// defaults, which hostile files cannot turn against the server.
type SchemaLimits = schema.Limits

// Config says what a [Server] serves and how. Only Sources is needed.
type Config struct {
	// Sources are searched in this order: the first that has an import path
	// wins. The imports google/protobuf, google/api, google/rpc, google/type,
	// google/longrunning, cel/expr, buf/validate and
	// protoc-gen-openapiv2/options need no source.
	Sources []Source

	// SchemaLimits are those under which the sources are read.
	SchemaLimits SchemaLimits

	// Handlers answer the methods. A method without one is listed and
	// described all the same, and answers UNIMPLEMENTED. Default: none.
	Handlers *handlers.Registry

	// RequireHandlers makes a method that no handler answers an error: its service
	// is not served, or stays as it was. By default the method can be called, and
	// answers UNIMPLEMENTED.
	RequireHandlers bool

	// Providers bring further handlers, which may change at each reload.
	Providers []handlers.Provider

	// Middleware is put around every handler, the first outermost. It sees
	// statuses only: what a handler returns or panics with has been settled.
	Middleware []handlers.Middleware

	// GRPC are the limits and settings of the gRPC front.
	GRPC GRPCOptions

	// Lenient lets the server start with what is good. By default New fails
	// with every error there is.
	Lenient bool

	// StrictReload makes a reload all or nothing. By default the services that
	// are good move on and the others keep their last good version. What waits
	// for RemoveAfter holds the rest back, too.
	StrictReload bool

	// Watch reloads when the sources or the files of the providers change. A reload that fails because
	// something could not be read is tried again, at first after a tenth of a
	// second, later every ten seconds.
	Watch bool

	// WatchPoll, when set, looks for changes at this interval instead of
	// relying on the operating system's notifications, which network file
	// systems do not give.
	WatchPoll time.Duration

	// RemoveAfter is how long a file must not have changed before a service that
	// has disappeared from it is removed: what is left of the file may be what has
	// been written so far. Additions and changes count at once, and so does the
	// end of a file. Reload does not wait: it takes files to be as their author
	// wants them. Default 1 s; negative for none.
	RemoveAfter time.Duration

	// DrainDelay is how long calls are still accepted when the context of Serve has
	// ended, while health says NOT_SERVING: as long as a load balancer takes to
	// notice. Default none.
	DrainDelay time.Duration

	// DrainTimeout is how long calls in progress may take when the context of
	// Serve has ended, and DrainDelay, before they are cut. Default 15 s; negative
	// for none.
	DrainTimeout time.Duration

	// DropComments leaves the comments of .proto files out of reflection.
	DropComments bool

	// Channelz serves grpc.channelz.v1, which tells about connections and their
	// peers.
	Channelz bool

	// Log is where the server logs. Default slog.Default().
	Log *slog.Logger

	// OnReload is told about the first load, from within New, and about every
	// reload that found something new, by the goroutine that reloaded. It must
	// not call Reload. Default: log the report, and each new diagnostic.
	OnReload func(Report)
}

func (c Config) withDefaults() Config {
	if c.Handlers == nil {
		c.Handlers = handlers.NewRegistry()
	}
	if c.RemoveAfter == 0 {
		c.RemoveAfter = time.Second
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 15 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.OnReload == nil {
		c.OnReload = func(r Report) { r.log(c.Log) }
	}
	return c
}
