package reflection

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// operation asks questions, and those that their answers lead to.
type operation struct {
	reader *Reader
	window int         // how many questions may be unanswered
	todo   *queue      // not sent yet
	sent   []*question // not answered yet

	asked     map[string]bool                 // questions about imports, by question.String
	importers map[string][]*File              // of the paths in asked
	services  map[protoreflect.FullName]*File // in the files of this operation
	visited   map[*File]bool                  // files whose imports are known or requested

	failures   int   // questions that ended a stream
	alphaTried bool  // v1alpha was tried in place of v1
	v1Error    error // why
}

// run sends questions until all are answered. It opens another stream when one
// breaks.
func (op *operation) run(ctx context.Context) error {
	for !op.todo.empty() {
		v := op.reader.current()
		answered, err := op.stream(ctx, v)
		var fatal fatalError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &fatal):
			return fatal.error
		case ctx.Err() != nil:
			return contextError(ctx)
		}
		op.window = max(1, op.window/2) // the server may not support several questions at once
		if answered > 0 {
			continue
		}
		if op.switchVersion(v, err) {
			continue
		}
		if err := op.failFirst(err); err != nil {
			return err
		}
	}
	return nil
}

// switchVersion reports whether to try another version after a stream without
// an answer.
func (op *operation) switchVersion(v version, err error) bool {
	unknown := status.Code(err) == codes.Unimplemented
	switch {
	case v.confirmed && unknown && !op.alphaTried: // the connection may lead to another server now
		op.reader.setVersion(version{alpha: !v.alpha})
	case !v.confirmed && !v.alpha && otherVersion(err) && !op.alphaTried:
		op.v1Error = err
		op.reader.setVersion(version{alpha: true})
	default:
		return false
	}
	op.alphaTried = true
	return true
}

// failFirst sets the error of the first unanswered question when a stream
// broke. It returns an error if the other questions cannot be answered either.
func (op *operation) failFirst(err error) error {
	if v := op.reader.current(); v.alpha && !v.confirmed {
		op.reader.setVersion(version{})
		if op.v1Error != nil && status.Code(op.v1Error) != codes.Unimplemented {
			err = op.v1Error // both versions failed: report the error of v1
		}
	}
	if isGone(err) {
		return err
	}
	if op.failures++; op.failures > maxFailures {
		return err
	}
	q := op.todo.next()
	q.err = err
	q.arrive()
	return nil
}

// stream uses one stream until all questions are answered or it breaks. It
// returns the number of answers.
func (op *operation) stream(ctx context.Context, v version) (answered int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := op.reader.open(ctx, v)
	if err != nil {
		return 0, err
	}
	for {
		op.send(stream)
		if len(op.sent) == 0 {
			finish(stream, cancel)
			return answered, nil
		}
		res, err := receive(stream)
		if err != nil {
			for _, q := range op.sent {
				q.arrive()
			}
			op.todo.first, op.sent = append(op.sent, op.todo.first...), nil
			return answered, err
		}
		if answered++; answered == 1 {
			op.reader.setVersion(version{alpha: v.alpha, confirmed: true})
		}
		q := op.sent[0]
		op.sent = op.sent[1:]
		err = op.take(q, res)
		q.arrive()
		if err != nil {
			return answered, err
		}
	}
}

// send sends as many questions as the window allows. Receiving reports the
// errors.
func (op *operation) send(stream grpc.ClientStream) {
	size := 0
	for _, q := range op.sent {
		size += len(q.name) + extraBytes
	}
	for len(op.sent) < op.window && size < windowBytes {
		q := op.todo.next()
		if q == nil {
			return
		}
		if op.isAnswered(q) {
			q.arrive()
			continue
		}
		op.sent = append(op.sent, q)
		size += len(q.name) + extraBytes
		if stream.SendMsg(q.request()) != nil {
			return
		}
	}
}

// isAnswered reports whether an earlier answer contains the answer to q. If so,
// it sets it.
func (op *operation) isAnswered(q *question) bool {
	switch {
	case q.kind == fileOfSymbol:
		q.file = op.services[protoreflect.FullName(q.name)]
	case q.from != nil:
		q.file = op.reader.known(q.from, q.name)
	}
	return q.file != nil
}

// fatalError is an error that ends an operation.
type fatalError struct{ error }

// take handles the answer to a question. Its error ends the operation.
func (op *operation) take(q *question, res *refv1.ServerReflectionResponse) error {
	if !q.isOf(res) {
		return fatalError{fmt.Errorf("the server answered another question than the one for %s", q)}
	}
	switch m := res.GetMessageResponse().(type) {
	case *refv1.ServerReflectionResponse_ErrorResponse:
		q.err = refusal(q, m.ErrorResponse)
	case *refv1.ServerReflectionResponse_ListServicesResponse:
		if q.kind != listServices {
			q.err = errUnexpected(q)
		}
		for _, s := range m.ListServicesResponse.GetService() {
			q.services = append(q.services, protoreflect.FullName(s.GetName()))
		}
	case *refv1.ServerReflectionResponse_FileDescriptorResponse:
		if q.kind == listServices {
			q.err = errUnexpected(q)
			break
		}
		if err := op.files(q, m.FileDescriptorResponse.GetFileDescriptorProto()); err != nil {
			return err
		}
	default:
		q.err = errUnexpected(q)
	}
	if q.from != nil {
		op.imported(q)
	} else if q.err != nil && isGone(q.err) {
		return fatalError{q.err}
	}
	return nil
}

// refusal returns the error of an answer; nil if the server does not know the
// name. Some servers use another code than the protocol's NOT_FOUND.
func refusal(q *question, e *refv1.ErrorResponse) error {
	code := codes.Code(e.GetErrorCode()) //nolint:gosec // any number
	switch {
	case q.kind != listServices && (code == codes.NotFound || code == codes.InvalidArgument):
		return nil
	case code == codes.OK:
		return fmt.Errorf("the server refuses to answer the question for %s: %s", q, e.GetErrorMessage())
	}
	return status.Error(code, e.GetErrorMessage())
}

// files adds the files of an answer and requests their imports.
func (op *operation) files(q *question, contents [][]byte) error {
	files, err := op.reader.add(contents)
	op.reader.progress()
	if exceeded := op.reader.exceeded(); exceeded != nil {
		return fatalError{exceeded}
	}
	if err != nil {
		q.err = err
		return nil //nolint:nilerr // the other questions go on
	}
	q.file = q.pick(files)
	for _, f := range files {
		for _, s := range f.services {
			op.services[s.Name] = f
		}
	}
	for _, f := range files {
		if err := op.visit(f, q.depth+1); err != nil {
			return err
		}
	}
	return nil
}

// end records which files are complete. If the operation failed, it removes
// incomplete files from the answers.
func (op *operation) end(questions []*question, err error) {
	r := op.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		for f := range op.visited {
			f.complete = true
		}
		return
	}
	for f := range op.visited {
		f.typesAsked = false
	}
	for _, q := range questions {
		if q.file != nil && !r.store.isComplete(q.file, make(map[*File]bool)) {
			q.file = nil
		}
	}
}
