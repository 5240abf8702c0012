package codec

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Shape is the streaming kind of a method.
type Shape struct{ StreamsRequests, StreamsResponses bool }

// ShapeOf returns the shape of a method.
func ShapeOf(m protoreflect.MethodDescriptor) Shape {
	return Shape{m.IsStreamingClient(), m.IsStreamingServer()}
}

// String returns the name of the shape in errors.
func (s Shape) String() string {
	switch {
	case s.StreamsRequests && s.StreamsResponses:
		return "bidirectional-streaming"
	case s.StreamsRequests:
		return "client-streaming"
	case s.StreamsResponses:
		return "server-streaming"
	}
	return "unary"
}

// Func returns the name of the function for this shape in the packages handlers
// and dynclient.
func (s Shape) Func() string {
	switch {
	case s.StreamsRequests && s.StreamsResponses:
		return "Bidi"
	case s.StreamsRequests:
		return "ClientStream"
	case s.StreamsResponses:
		return "ServerStream"
	}
	return "Unary"
}

// BindMethod is like [Bind] for the request and the response of a method. The
// error has a line for each mismatch, and reports one in both messages only
// once.
func BindMethod[In, Out any](m protoreflect.MethodDescriptor, types Types, opts Options) (Codec[In], Codec[Out], error) {
	in, inErr := Bind[In](m.Input(), types, opts)
	out, outErr := Bind[Out](m.Output(), types, opts)
	if err := joinDistinct(inErr, outErr); err != nil {
		return nil, nil, err
	}
	return in, out, nil
}

// joinDistinct joins errors of several lines, and drops duplicate lines.
func joinDistinct(errs ...error) error {
	var lines []error
	seen := make(map[string]bool)
	for _, err := range errs {
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !seen[line] {
				seen[line] = true
				lines = append(lines, errors.New(line))
			}
		}
	}
	return errors.Join(lines...)
}
