package wellknown_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// TestTable compares the table with google's files and with protojson.
func TestTable(t *testing.T) {
	for _, file := range []protoreflect.FileDescriptor{
		anypb.File_google_protobuf_any_proto, durationpb.File_google_protobuf_duration_proto,
		emptypb.File_google_protobuf_empty_proto, fieldmaskpb.File_google_protobuf_field_mask_proto,
		structpb.File_google_protobuf_struct_proto, timestamppb.File_google_protobuf_timestamp_proto,
		wrapperspb.File_google_protobuf_wrappers_proto,
	} {
		for i := range file.Messages().Len() {
			md := file.Messages().Get(i)
			row := wellknown.Of(md.FullName())
			if row.Kind == wellknown.None {
				t.Errorf("%s is not in the table", md.FullName())
			}
			if isWrapper := file == wrapperspb.File_google_protobuf_wrappers_proto; isWrapper != (row.Kind == wellknown.Wrapper) {
				t.Errorf("%s has the kind %d", md.FullName(), row.Kind)
			}
			checkExample(t, md, row)
		}
	}
	if row := wellknown.Of("google.protobuf.Api"); row != (wellknown.Type{}) || row.HasOwnJSON() {
		t.Errorf("an ordinary message has %+v", row)
	}
}

func checkExample(t *testing.T, md protoreflect.MessageDescriptor, row wellknown.Type) {
	t.Helper()
	if row.Example == "" {
		return
	}
	mt := map[protoreflect.FullName]proto.Message{
		"google.protobuf.Any": new(anypb.Any), "google.protobuf.Duration": new(durationpb.Duration),
		"google.protobuf.FieldMask": new(fieldmaskpb.FieldMask), "google.protobuf.ListValue": new(structpb.ListValue),
		"google.protobuf.Struct": new(structpb.Struct), "google.protobuf.Timestamp": new(timestamppb.Timestamp),
		"google.protobuf.Value": new(structpb.Value),
	}[md.FullName()]
	if err := protojson.Unmarshal([]byte(row.Example), mt); err != nil {
		t.Errorf("%s: %v", md.FullName(), err)
	}
}
