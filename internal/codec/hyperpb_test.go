//go:build amd64 || arm64

package codec_test

import (
	"buf.build/go/hyperpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// hyperDecoder decodes with hyperpb, or is nil where that does not run.
func hyperDecoder(md protoreflect.MessageDescriptor) func(b []byte) (proto.Message, error) {
	typ := hyperpb.CompileMessageDescriptor(md)
	return func(b []byte) (proto.Message, error) {
		m := hyperpb.NewMessage(typ)
		return m, m.Unmarshal(b)
	}
}
