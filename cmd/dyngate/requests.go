package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/jsonstream"
)

// maxRequest bounds one JSON document.
const maxRequest = 256 << 20

// requests are the documents of --data.
type requests struct {
	reader *jsonstream.Reader
	count  int
}

// openRequests opens --data: JSON, a @FILE, or standard input, which is - or, as
// with curl and grpcurl, @- and @. Its errors are usage errors, like those of next
// and only.
func openRequests(data string) (*requests, error) {
	var in io.Reader
	switch name, isFile := strings.CutPrefix(data, "@"); {
	case data == "":
		in = strings.NewReader("{}")
	case data == "-", data == "@-", data == "@":
		in = os.Stdin
	case isFile:
		file, err := os.Open(name) //nolint:gosec // the file that the user names; the process's end closes it
		if err != nil {
			return nil, usageError{fmt.Errorf("--data: %w", err)}
		}
		in = file
	default:
		in = strings.NewReader(data)
	}
	return &requests{reader: jsonstream.New(in, maxRequest)}, nil
}

// next returns the next document, io.EOF after the last one.
func (r *requests) next() (json.RawMessage, error) {
	doc, err := r.reader.Next()
	if err != nil && err != io.EOF {
		return nil, usageError{fmt.Errorf("--data: %w", err)}
	}
	r.count++
	return doc, err
}

// only returns the only document. No document means an empty message.
func (r *requests) only() (json.RawMessage, error) {
	doc, err := r.next()
	if err == io.EOF {
		return json.RawMessage("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := r.next(); err == nil {
		return nil, usageError{errors.New("--data has more than one document, but the method takes one request")}
	} else if err != io.EOF {
		return nil, err
	}
	r.count = 1
	return doc, nil
}

// await returns what read returns or, if ctx ends first, the cause. Reading from a
// terminal or pipe cannot be stopped otherwise.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() { // ends with the reading, or with the process
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("--data was not read to its end: %w", context.Cause(ctx))
	}
}

// decode makes a message of a document. It may ask the server for the types of the
// content of an Any, until ctx ends.
func (r *requests) decode(ctx context.Context, doc json.RawMessage, m *dynclient.Method, types dynclient.Types) (*dynclient.Dynamic, error) {
	message := m.NewRequest()
	if err := jsonmsg.Decode(doc, message.Interface(), types); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		which := "the request"
		if r.count > 1 {
			which = fmt.Sprintf("request %d", r.count)
		}
		return nil, usageError{fmt.Errorf("%s is not a valid %s: %w", which, m.Input().FullName(), err)}
	}
	return message, nil
}
