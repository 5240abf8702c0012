package main

import (
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

// openRequests opens what --data says: JSON, a @FILE, or - for standard input.
func openRequests(data string) (*requests, func(), error) {
	var in io.Reader
	done := func() {}
	switch name, isFile := strings.CutPrefix(data, "@"); {
	case data == "":
		in = strings.NewReader("{}")
	case data == "-":
		in = os.Stdin
	case isFile:
		file, err := os.Open(name) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, nil, fmt.Errorf("--data: %w", err)
		}
		in, done = file, func() { _ = file.Close() }
	default:
		in = strings.NewReader(data)
	}
	return &requests{reader: jsonstream.New(in, maxRequest)}, done, nil
}

// next returns the next document, io.EOF after the last one.
func (r *requests) next() (json.RawMessage, error) {
	doc, err := r.reader.Next()
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("--data: %w", err)
	}
	r.count++
	return doc, err
}

// only returns the only document. None at all is an empty message.
func (r *requests) only() (json.RawMessage, error) {
	doc, err := r.next()
	if err == io.EOF {
		return json.RawMessage("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := r.next(); err == nil {
		return nil, errors.New("--data holds more than one document, and the method takes one request")
	} else if err != io.EOF {
		return nil, err
	}
	r.count = 1
	return doc, nil
}

// decode makes a message of a document.
func (r *requests) decode(doc json.RawMessage, m *dynclient.Method, types dynclient.Types) (*dynclient.Dynamic, error) {
	message := m.NewRequest()
	if err := jsonmsg.Decode(doc, message.Interface(), types); err != nil {
		which := "the request"
		if r.count > 1 {
			which = fmt.Sprintf("request %d", r.count)
		}
		return nil, usageError{fmt.Errorf("%s is no %s: %w", which, m.Input().FullName(), err)}
	}
	return message, nil
}
