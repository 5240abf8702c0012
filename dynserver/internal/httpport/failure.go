package httpport

import (
	"errors"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// failure is why the port ends a request. It is the cause of the end of its context, or
// the error of reading its body. It has a status for grpc and for connect, whose own
// functions would otherwise say CANCELED, because net/http ends the context of a
// request that cannot be read.
type failure struct {
	code    codes.Code
	message string
}

// Error implements error.
func (f *failure) Error() string { return f.message }

// GRPCStatus is what package status looks for.
func (f *failure) GRPCStatus() *status.Status { return status.New(f.code, f.message) }

// As is what errors.As looks for.
func (f *failure) As(target any) bool {
	out, ok := target.(**connect.Error)
	if ok {
		*out = connect.NewError(connect.Code(f.code), errors.New(f.message)) // the codes are the same
	}
	return ok
}

// Is reports whether a failure is that of a deadline.
func (f *failure) Is(target error) bool {
	return target == os.ErrDeadlineExceeded && f.code == codes.DeadlineExceeded
}

var (
	// errCut is why requests end that a shutdown does not wait for any more.
	errCut = &failure{codes.Unavailable, "the server is shutting down"}

	errStalled = &failure{codes.Unavailable, "the client does not read the answer"}
)

func errSlow(limit time.Duration) error {
	return &failure{codes.DeadlineExceeded, "the request is incomplete: nothing has arrived for " + limit.String()}
}
