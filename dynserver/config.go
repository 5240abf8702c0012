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

// Path is a folder of .proto files (the folder is an import root, like protoc's
// -I), a single .proto file, or a file that holds a FileDescriptorSet or
// buf image (.binpb, .pb, .desc, .json, .txtpb, also with .gz).
func Path(path string) Source { return schema.Path(path) }

// FS is a file system that is an import root, for example an embedded one. Messages
// refer to it by name. It is read at each reload, and not watched unless it is a
// [ChangingFS].
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

// SchemaLimits bound the work and memory that schemas may cost. The zero value means
// the defaults, which protect the server against hostile files.
type SchemaLimits = schema.Limits

// Config says what a [Server] serves and how. Only Sources is needed.
type Config struct {
	// Sources are searched in this order: the first one that has an import path
	// wins. The imports google/protobuf, google/api, google/rpc, google/type,
	// google/longrunning, cel/expr, buf/validate and
	// protoc-gen-openapiv2/options need no source.
	Sources []Source

	// SchemaLimits apply to all sources.
	SchemaLimits SchemaLimits

	// Handlers answer the methods. A method without a handler is listed and
	// described as well, and answers UNIMPLEMENTED. Default: none.
	Handlers *handlers.Registry

	// HTTPRules are service configuration files with google.api.http rules, the YAML form
	// of google.api.Service. The files *.http.yaml in folders and file systems of Sources
	// are read as well. The last rule for a method wins, and replaces its annotation; those
	// of HTTPRules come last. The files are read at each reload; one that is broken keeps
	// its last good version.
	HTTPRules []string

	// RequireHandlers makes a method without a handler an error: its service is not
	// served, or keeps its last good version.
	RequireHandlers bool

	// Providers bring more handlers, which may change at each reload.
	Providers []handlers.Provider

	// Middleware is put around every handler, the first outermost. It is put around
	// the server's own services (health, reflection) as well. It sees only statuses:
	// other errors and panics of handlers have been turned into statuses.
	Middleware []handlers.Middleware

	// GRPC holds the limits and settings of the gRPC front.
	GRPC GRPCOptions

	// HTTP holds the limits and settings of the HTTP port.
	HTTP HTTPOptions

	// Lenient lets the server start with the services that are good. By default New
	// fails and returns all errors.
	Lenient bool

	// StrictReload makes a reload all or nothing. By default the services that are
	// good are replaced and the others keep their last good version. With
	// StrictReload, a service that waits for RemoveAfter delays the whole reload.
	StrictReload bool

	// Watch reloads when the sources or the files of the providers change. A reload
	// that fails because a file cannot be read is tried again, at first after a tenth
	// of a second, later every ten seconds.
	Watch bool

	// WatchPoll, when set, looks for changes at this interval instead of
	// relying on the operating system's notifications, which network file
	// systems do not give.
	WatchPoll time.Duration

	// RemoveAfter is how long a file must be unchanged before a service that has
	// disappeared from it is removed, because the file may be half written. Additions
	// and changes apply at once, and so does the removal of a file. Reload does not
	// wait: it assumes that files are complete. Default 1 s; negative for none.
	RemoveAfter time.Duration

	// DrainDelay is how long calls are still accepted after the context of Serve has
	// ended, while health is NOT_SERVING: the time that load balancers need to
	// notice. Default none.
	DrainDelay time.Duration

	// DrainTimeout is how long calls in progress may take after DrainDelay before
	// they are cut. Default 15 s; negative for none.
	DrainTimeout time.Duration

	// DropComments omits the comments of .proto files from reflection.
	DropComments bool

	// Channelz serves grpc.channelz.v1, which describes connections and their peers.
	Channelz bool

	// OnProgress is called while schemas are loaded, by several goroutines at once: at
	// first with the number of files read so far and a total of 0, then with the number
	// of files that are compiled and the total. Default: none.
	OnProgress func(done, total int)

	// Log is where the server logs. Default slog.Default().
	Log *slog.Logger

	// OnReload is called after the first load, before New returns, and after every
	// reload that found something new. It must not call Reload or SetMiddleware.
	// Default: log the report and each new diagnostic.
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
