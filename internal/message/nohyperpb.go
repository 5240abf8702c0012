//go:build !amd64 && !arm64

package message

import "google.golang.org/protobuf/reflect/protoreflect"

// newParser parses with dynamicpb: hyperpb is for amd64 and arm64 only.
func newParser(md protoreflect.MessageDescriptor, types Types) parser {
	deep, _ := survey(md, MaxDepth)
	return newDynamicpbParser(md, types, deep)
}
