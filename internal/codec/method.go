package codec

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Shape says which messages of a method are streams.
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

// Func returns the name of the function for this shape, which the packages
// handlers and dynclient both have.
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

// BindMethod is [Bind] for the request and the response of a method. The error has
// a line for each mismatch. One that is in both messages is reported once.
func BindMethod[In, Out any](m protoreflect.MethodDescriptor, types Types, opts Options) (Codec[In], Codec[Out], error) {
	in, inErr := Bind[In](m.Input(), types, opts)
	out, outErr := Bind[Out](m.Output(), types, opts)
	if err := joinDistinct(inErr, outErr); err != nil {
		return nil, nil, err
	}
	return in, out, nil
}

// joinDistinct joins errors of several lines, and drops lines that are repeated.
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
