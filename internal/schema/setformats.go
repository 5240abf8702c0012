package schema

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// setExtensions are the file name extensions of descriptor sets. Each may be followed by
// .gz.
var setExtensions = []string{".binpb", ".pb", ".desc", ".protoset", ".json", ".txtpb"}

// setExtension returns the extension of a descriptor set, without .gz; empty if
// path has none.
func setExtension(path string) (ext string, zipped bool) {
	path, zipped = strings.CutSuffix(strings.ToLower(path), ".gz")
	return filepath.Ext(path), zipped
}

// binarySet converts a descriptor set of any format to the binary format. A compressed set may have
// at most limit bytes.
func binarySet(path string, content []byte, limit int64) ([]byte, error) {
	ext, zipped := setExtension(path)
	if zipped {
		r, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		content, err = io.ReadAll(io.LimitReader(r, limit+1))
		switch {
		case err != nil:
			return nil, err
		case int64(len(content)) > limit:
			return nil, fmt.Errorf("it is larger than %d bytes", limit)
		}
	}
	if ext != ".json" && ext != ".txtpb" {
		return content, nil
	}
	md, err := image()
	if err != nil {
		return nil, err
	}
	m := dynamic.NewMessage(md)
	if ext == ".json" {
		err = protojson.UnmarshalOptions{DiscardUnknown: true, AllowPartial: true}.Unmarshal(content, m)
	} else {
		err = prototext.UnmarshalOptions{DiscardUnknown: true, AllowPartial: true}.Unmarshal(content, m)
	}
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{AllowPartial: true}.Marshal(m)
}

// image is the type of a buf image, whose files have a field for those that are only imports.
// Text formats need the type, because they contain names instead of numbers.
var image = sync.OnceValues(func() (protoreflect.MessageDescriptor, error) {
	fd := protodesc.ToFileDescriptorProto(descriptorpb.File_google_protobuf_descriptor_proto)
	fd.MessageType = append(fd.MessageType, &descriptorpb.DescriptorProto{
		Name: proto.String("ImageFileExtension"),
		Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("is_import"), Number: proto.Int32(imageIsImport),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum(),
		}},
	})
	for _, m := range fd.GetMessageType() {
		if m.GetName() == "FileDescriptorProto" {
			m.Field = append(m.Field, &descriptorpb.FieldDescriptorProto{
				Name: proto.String("buf_extension"), Number: proto.Int32(imageFile), TypeName: proto.String(".google.protobuf.ImageFileExtension"),
				Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(),
			})
		}
	}
	file, err := protodesc.NewFile(fd, new(protoregistry.Files))
	if err != nil {
		return nil, err
	}
	return file.Messages().ByName("FileDescriptorSet"), nil
})

// The fields with which a buf image marks imports.
const imageFile, imageIsImport = 8042, 1
