package main

import (
	"context"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/render"
)

const callHelp = `Call calls a method of any kind and prints the responses as they arrive.

TARGET is host:port, a port of the loopback, unix:PATH, or any other target that
gRPC knows, such as dns:///host:port. It may also be the URL of an HTTP server,
http://host:port or https://host/prefix; calls then use the Connect protocol, or
that of --protocol. METHOD is pkg.Service/Method; it may be shortened from the
left while it is unique: Greeter/SayHello, SayHello.

The schema comes from the server's reflection, or from --proto and --descriptors.
--data is one JSON document or, for a method that streams its requests, any
number of them; they are sent as they arrive. Without --data the request is an
empty message.

Exit status: 0, or 64 plus the gRPC code that the call ended with (65 to 80);
2 if the command line, the method's name or the request is wrong; 130 and 143
after SIGINT and SIGTERM; 141 if standard output was closed; 1 otherwise.`

func newCall() *cobra.Command {
	f := new(callFlags)
	cmd := &cobra.Command{
		Use:   "call TARGET METHOD",
		Short: "Call a method of a server",
		Long:  callHelp,
		Example: `  dyngate call 127.0.0.1:50051 tutorial.Greeter/SayHello -d '{"name": "Ada"}'
  dyngate call 50051 RecordRoute -d '{"latitude": 407838351} {"latitude": 408122808}'
  dyngate describe 50051 RouteChat --example | dyngate call 50051 RouteChat -d -
  dyngate call api.example.com:443 List --tls -H "authorization: Bearer $TOKEN" -o ndjson
  dyngate call https://api.example.com List --protocol grpcweb`,
		Args:              args(cobra.ExactArgs(2)),
		ValidArgsFunction: names{methods: true}.complete(&f.connectFlags, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("data") && strings.TrimSpace(f.data) == "" {
				return usageError{errors.New("--data is empty: write {} for an empty message, or leave --data out")}
			}
			return untilSignal(cmd, func(ctx context.Context) error { return f.run(ctx, args[0], args[1]) })
		},
	}
	f.register(cmd)
	return cmd
}

// callFlags are the settings of `dyngate call`.
type callFlags struct {
	connectFlags

	data     string
	output   string
	gzip     bool
	verbose  bool
	defaults bool
	maxRecv  int
}

func (f *callFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.data, "data", "d", "", "the requests as `JSON`; @FILE reads them from a file, - from standard input")
	flags.StringVarP(&f.output, "output", "o", "json", "how to print responses: "+strings.Join(render.Formats(), ", "))
	flags.BoolVar(&f.gzip, "gzip", false, "compress the requests")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print the schema's source, metadata, sizes and times to standard error")
	flags.BoolVar(&f.defaults, "emit-defaults", false, "also print fields that have their default value")
	flags.IntVar(&f.maxRecv, "max-recv-bytes", 4<<20, "largest response, after decompression")
	f.connectFlags.register(flags, 0)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(render.Formats(), cobra.ShellCompDirectiveNoFileComp))
}

func (f *callFlags) run(ctx context.Context, target, method string) error {
	if f.maxRecv <= 0 {
		return usageError{errors.New("--max-recv-bytes must be positive")}
	}
	ctx, err := f.begin(ctx)
	if err != nil {
		return err
	}
	watch := newWatch(f.verbose)
	client, done, err := f.dial(target, watch)
	if err != nil {
		return err
	}
	defer done()
	bounded, cancel := f.within(ctx)
	defer cancel()
	return withDetails(ctx, f.withHelp(f.call(bounded, client, watch, method), watch))
}

// tooLarge matches what grpc-go and connect-go say about a message that is too large.
var tooLarge = regexp.MustCompile(`larger than (configured )?max`)

// withHelp adds to the error of a message that is too large which limit it exceeds.
// Both sides say the same. The message is a response if the server had
// begun to answer and the limit is the one of this side; after several requests that
// is only likely.
func (f *callFlags) withHelp(err error, watch *watch) error {
	var call *dynclient.Error
	if !errors.As(err, &call) || call.Code() != codes.ResourceExhausted || !tooLarge.MatchString(call.Message()) {
		return err
	}
	own := strings.HasSuffix(strings.TrimSuffix(call.Message(), ")"), " "+strconv.Itoa(f.maxRecv))
	switch {
	case strings.Contains(call.Message(), "trying to send"):
		return helpError{err, "the server sends no responses of this size; its limit may be settable (dyngate serve: --max-send-bytes)"}
	case watch.headed.Load() && own && watch.sent.Load() > 1:
		return helpError{err, "if a response is too large, --max-recv-bytes N accepts larger ones; the server limits requests"}
	case watch.headed.Load() && own:
		return helpError{err, "--max-recv-bytes N accepts larger responses"}
	}
	return helpError{err, "the server accepts no requests of this size; its limit may be settable (dyngate serve: --max-recv-bytes)"}
}

// call makes the call.
func (f *callFlags) call(ctx context.Context, client *dynclient.Client, watch *watch, method string) error {
	// Opening a named pipe waits, too.
	requests, err := await(ctx, func() (*requests, error) { return openRequests(f.data) })
	if err != nil {
		return err
	}
	m, err := watch.lookUp(ctx, client, method)
	if err != nil {
		return err
	}
	printer, err := render.New(os.Stdout, f.output, render.Options{
		Types: client.Schema().Types(ctx, m), EmitDefaults: f.defaults, Delimited: m.IsStreamingServer(),
	})
	if err != nil {
		return usageError{err}
	}
	watch.request(ctx, m)
	c := &call{client: client, method: m, requests: requests, printer: printer, watch: watch}
	return c.run(ctx, f.callOptions()...)
}

func (f *callFlags) callOptions() []grpc.CallOption {
	opts := []grpc.CallOption{grpc.MaxCallRecvMsgSize(f.maxRecv)}
	if f.gzip {
		opts = append(opts, grpc.UseCompressor("gzip"))
	}
	return opts
}

// call is one call in progress.
type call struct {
	client   *dynclient.Client
	method   *dynclient.Method
	requests *requests
	printer  *render.Printer
	watch    *watch
}

func (c *call) run(ctx context.Context, opts ...grpc.CallOption) error {
	if !c.method.IsStreamingClient() {
		return c.single(ctx, opts...)
	}
	stream, err := c.client.StreamMethod(ctx, c.method, opts...)
	if err != nil {
		return err
	}
	defer stream.Close()
	wrong := make(chan error, 1)
	go func() { // ends with the requests, or with the process when it waits for more of them
		if err := c.sendAll(ctx, stream); err != nil {
			wrong <- err
			stream.Close()
		}
	}()
	err = c.receiveAll(stream)
	select {
	case mistake := <-wrong:
		return mistake
	default:
		return err
	}
}

// single makes a call that takes one request. The request is checked before the
// call is made.
func (c *call) single(ctx context.Context, opts ...grpc.CallOption) error {
	request, err := await(ctx, c.requests.only)
	if err != nil {
		return err
	}
	message, err := c.requests.decode(ctx, request, c.method, c.client.Schema().Types(ctx, c.method))
	if err != nil {
		return err
	}
	stream, err := c.client.StreamMethod(ctx, c.method, opts...)
	if err != nil {
		return err
	}
	defer stream.Close()
	if err := stream.Send(message); err != nil && err != io.EOF {
		return err
	}
	stream.CloseSend()
	return c.receiveAll(stream)
}

// sendAll sends the requests as they come.
func (c *call) sendAll(ctx context.Context, stream *dynclient.Stream) error {
	types := c.client.Schema().Types(ctx, c.method)
	for {
		request, err := c.requests.next()
		if err == io.EOF {
			stream.CloseSend()
			return nil
		}
		if err != nil {
			return err
		}
		message, err := c.requests.decode(ctx, request, c.method, types)
		if err != nil {
			return err
		}
		if err := stream.Send(message); err != nil {
			return nil //nolint:nilerr // the call has ended: receiveAll returns why
		}
	}
}

// receiveAll prints the answers as they come.
func (c *call) receiveAll(stream *dynclient.Stream) error {
	defer c.watch.trailer(stream)
	c.watch.header(stream)
	for {
		var answer dynclient.Dynamic
		if err := stream.Recv(&answer); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := c.printer.Print(answer.Interface()); err != nil {
			return err
		}
	}
}
