package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
)

// Exit statuses.
const (
	exitFailure = 1   // the command failed
	exitUsage   = 2   // the command line is wrong
	exitCode    = 64  // plus the code, if a call did not end with OK: 65 to 80
	exitSignal  = 128 // plus the number of the signal
)

// usageError is a mistake on the command line, or in a file that it names.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// signalError says that a signal ended the command.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return "stopped by signal: " + e.signal.String() }

// exitStatus returns the exit status for an error.
func exitStatus(err error) int {
	var usage usageError
	var lookup *dynclient.LookupError
	var stopped signalError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &stopped):
		return exitSignal + int(stopped.signal)
	case errors.As(err, &usage), errors.As(err, &lookup):
		return exitUsage
	case errors.Is(err, context.DeadlineExceeded):
		return exitCode + int(codes.DeadlineExceeded)
	}
	if st, ok := status.FromError(err); ok && st.Code() <= 16 {
		return exitCode + int(st.Code())
	}
	return exitFailure
}

// untilSignal calls run with a context that the first SIGINT or SIGTERM ends. Run
// then has a second to return: writing output that is not read may block it. The
// second signal kills the process.
func untilSignal(cmd *cobra.Command, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() { // ends with the function, or at the first signal
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(signalError{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	err := endWith(ctx, func() error { return run(ctx) })
	var stopped signalError
	if err != nil && errors.As(context.Cause(ctx), &stopped) {
		return stopped
	}
	return err
}

// endWith calls run, and gives it a second to end when ctx has ended: it may be busy
// with what cannot be interrupted.
func endWith(ctx context.Context, run func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- run() }() // ends with run, or with the process
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Second):
		return context.Cause(ctx)
	}
}
