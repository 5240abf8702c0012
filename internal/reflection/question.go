package reflection

import (
	"fmt"

	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

type questionKind int

const (
	listServices questionKind = iota
	fileOfSymbol
	fileByPath
	fileOfExtension
)

// question is a question to the server, and its answer.
type question struct {
	kind   questionKind
	name   string // a symbol, a path, or the extended message
	number int32  // of an extension

	from  *File // imports name; may be nil
	depth int   // number of imports that led to the question
	lane  *lane // the question's lane; may be nil

	// The answer. A server that does not know the name leaves all fields empty.
	services []protoreflect.FullName
	file     *File
	err      error
}

// String describes the question for errors.
func (q *question) String() string {
	switch q.kind {
	case listServices:
		return "the list of services"
	case fileByPath:
		return "file " + q.name
	case fileOfExtension:
		return fmt.Sprintf("extension %d of %s", q.number, q.name)
	}
	return "symbol " + q.name
}

func (q *question) request() *refv1.ServerReflectionRequest {
	req := new(refv1.ServerReflectionRequest)
	switch q.kind {
	case listServices:
		req.MessageRequest = &refv1.ServerReflectionRequest_ListServices{ListServices: "*"}
	case fileOfSymbol:
		req.MessageRequest = &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: q.name}
	case fileByPath:
		req.MessageRequest = &refv1.ServerReflectionRequest_FileByFilename{FileByFilename: q.name}
	case fileOfExtension:
		req.MessageRequest = &refv1.ServerReflectionRequest_FileContainingExtension{
			FileContainingExtension: &refv1.ExtensionRequest{ContainingType: q.name, ExtensionNumber: q.number},
		}
	}
	return req
}

// isOf reports whether res may answer this question. Servers need not repeat
// the question.
func (q *question) isOf(res *refv1.ServerReflectionResponse) bool {
	req := res.GetOriginalRequest()
	switch o := req.GetMessageRequest().(type) {
	case *refv1.ServerReflectionRequest_ListServices:
		return q.kind == listServices
	case *refv1.ServerReflectionRequest_FileContainingSymbol:
		return q.kind == fileOfSymbol && o.FileContainingSymbol == q.name
	case *refv1.ServerReflectionRequest_FileByFilename:
		return q.kind == fileByPath && o.FileByFilename == q.name
	case *refv1.ServerReflectionRequest_FileContainingExtension:
		x := o.FileContainingExtension
		return q.kind == fileOfExtension && x.GetContainingType() == q.name && x.GetExtensionNumber() == q.number
	case *refv1.ServerReflectionRequest_AllExtensionNumbersOfType:
		return false
	}
	return true
}
