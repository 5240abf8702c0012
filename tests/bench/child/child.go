// Package child is what the processes that the benchmark measures have in common: they answer the
// commands of their parent on standard input.
package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/pprof"
	"time"
)

// Command is a request to a process.
type Command struct {
	Do             string
	Addr, Scenario string        // of ConnectStub
	Concurrency    int           // of MakeCalls
	Duration       time.Duration // of MakeCalls
}

// The commands. Servers know only the first.
const (
	TellUsage   = "usage"
	ConnectStub = "connect"
	MakeCalls   = "run"
	CloseStub   = "close"
)

// Serve is a server process: it runs a server on a free port of the loopback interface, writes the
// address to standard output, answers each command on standard input with its usage, and ends when
// standard input does. profile is the file for a CPU profile, or empty.
func Serve(ctx context.Context, profile string, run func(context.Context, net.Listener) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stopProfile, err := Profile(profile)
	if err != nil {
		return err
	}
	served, followed := make(chan error, 1), make(chan error, 1)
	go func() { served <- run(ctx, lis) }() // ends with ctx
	go func() {                             // ends with the parent
		followed <- Follow(os.Stdin, os.Stdout, lis.Addr().String(), func(Command) (any, error) { return OwnUsage(), nil })
	}()
	select {
	case err := <-served:
		return err
	case err := <-followed:
		stop()
		return errors.Join(err, stopProfile(), <-served)
	}
}

// Profile starts a CPU profile, unless path is empty.
func Profile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, pprof.StartCPUProfile(file)
}

// Follow writes the first line, then answers commands until the input ends.
func Follow(in io.Reader, out io.Writer, first string, obey func(Command) (any, error)) error {
	if _, err := fmt.Fprintln(out, first); err != nil {
		return err
	}
	commands, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var c Command
		if err := commands.Decode(&c); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := obey(c)
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}
