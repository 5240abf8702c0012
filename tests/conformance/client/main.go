// Command client is the client under test of connectrpc's conformance suite: it
// makes the calls that the suite asks for by package dynclient, with the schema of
// the suite's .proto files.
//
//	connectconformance --mode client --conf config.yaml -- client [-grpc] PROTOS...
//
// With -grpc the calls are made by grpc-go, to a target without a URL.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
)

// parallel is how many calls are made at once.
const parallel = 8

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	overGRPC := flags.Bool("grpc", false, "call by grpc-go")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := newSuite(ctx, flags.Args())
	if err != nil {
		return err
	}
	s.grpc = *overGRPC
	defer s.close()
	in = bufio.NewReader(in)
	var calls sync.WaitGroup
	defer calls.Wait()
	var writing sync.Mutex
	var failed error
	slots := make(chan struct{}, parallel)
	for {
		var t testCase
		if err := s.read(in, &t); err == io.EOF {
			calls.Wait()
			return failed
		} else if err != nil {
			return err
		}
		slots <- struct{}{}
		calls.Go(func() { // ends with the call, which the case bounds
			answer := s.run(ctx, &t)
			writing.Lock()
			defer writing.Unlock()
			failed = errors.Join(failed, s.write(out, answer))
			<-slots
		})
	}
}

// suite holds the schema of the conformance suite, and the clients in use.
type suite struct {
	sources  []dynclient.Source
	grpc     bool
	request  protoreflect.MessageType
	response protoreflect.MessageType
	types    dynclient.Types

	mu      sync.Mutex
	clients map[string]*dynclient.Client
}

func newSuite(ctx context.Context, protos []string) (*suite, error) {
	const pkg = "connectrpc.conformance.v1."
	sources := make([]dynclient.Source, len(protos))
	for i, path := range protos {
		sources[i] = dynclient.Path(path)
	}
	sym, err := dynclient.NewSchema(sources...).Find(ctx, pkg+"ClientCompatRequest")
	if err != nil {
		return nil, err
	}
	s := &suite{sources: sources, types: sym.Types, clients: make(map[string]*dynclient.Client)}
	if s.request, err = sym.Types.FindMessageByName(pkg + "ClientCompatRequest"); err != nil {
		return nil, err
	}
	if s.response, err = sym.Types.FindMessageByName(pkg + "ClientCompatResponse"); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *suite) close() {
	for _, c := range s.clients {
		_ = c.Close()
	}
}

// read reads a message of the suite: its length in four bytes, and its bytes. The
// program handles it as JSON.
func (s *suite) read(in io.Reader, t *testCase) error {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return err
	}
	data := make([]byte, binary.BigEndian.Uint32(length[:]))
	if _, err := io.ReadFull(in, data); err != nil {
		return err
	}
	m := s.request.New().Interface()
	if err := (proto.UnmarshalOptions{Resolver: s.types}).Unmarshal(data, m); err != nil {
		return err
	}
	text, err := protojson.MarshalOptions{Resolver: s.types}.Marshal(m)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, t)
}

func (s *suite) write(out io.Writer, a *answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	m := s.response.New().Interface()
	if err := (protojson.UnmarshalOptions{Resolver: s.types}).Unmarshal(text, m); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	data, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	_, err = out.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}
