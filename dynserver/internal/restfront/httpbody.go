package restfront

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/httprule"
)

// rawBody says where a message has the google.api.HttpBody that is the HTTP body.
type rawBody struct {
	field protowire.Number // that contains it; 0 if it is the message itself
}

// The fields of google.api.HttpBody.
const (
	bodyContentType = 1
	bodyData        = 2
)

// rawBodyIn returns where messages of a type have the HttpBody that a rule makes the
// body, or nil if the body is something else.
func rawBodyIn(md protoreflect.MessageDescriptor, body httprule.Body) *rawBody {
	raw := new(rawBody)
	if fd := body.Field; fd != nil {
		if md = fd.Message(); md == nil || fd.IsList() || fd.IsMap() || fd.Kind() == protoreflect.GroupKind {
			return nil
		}
		raw.field = fd.Number()
	} else if !body.Whole {
		return nil
	}
	if md.FullName() != "google.api.HttpBody" || !hasField(md, bodyContentType, protoreflect.StringKind) || !hasField(md, bodyData, protoreflect.BytesKind) {
		return nil
	}
	return raw
}

func hasField(md protoreflect.MessageDescriptor, number protowire.Number, kind protoreflect.Kind) bool {
	fd := md.Fields().ByNumber(number)
	return fd != nil && fd.Kind() == kind && !fd.IsList()
}

// append appends a body to a message.
func (b *rawBody) append(dst []byte, contentType string, data []byte) []byte {
	if b.field != 0 {
		size := protowire.SizeTag(bodyData) + protowire.SizeBytes(len(data))
		if contentType != "" {
			size += protowire.SizeTag(bodyContentType) + protowire.SizeBytes(len(contentType))
		}
		dst = protowire.AppendTag(dst, b.field, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(size)) //nolint:gosec // not negative
	}
	if contentType != "" {
		dst = protowire.AppendTag(dst, bodyContentType, protowire.BytesType)
		dst = protowire.AppendString(dst, contentType)
	}
	dst = protowire.AppendTag(dst, bodyData, protowire.BytesType)
	return protowire.AppendBytes(dst, data)
}

// split returns the body in a message. The data is a part of msg.
func (b *rawBody) split(msg []byte) (contentType string, data []byte, err error) {
	err = eachBytes(msg, func(number protowire.Number, value []byte) error {
		switch {
		case b.field != 0:
			if number != b.field {
				return nil
			}
			inner, content, err := new(rawBody).split(value)
			if inner != "" {
				contentType = inner
			}
			if content != nil {
				data = content
			}
			return err
		case number == bodyContentType:
			contentType = string(value)
		case number == bodyData:
			data = value
		}
		return nil
	})
	return contentType, data, err
}

// eachBytes calls f with each length-delimited field of a message.
func eachBytes(msg []byte, f func(protowire.Number, []byte) error) error {
	for len(msg) > 0 {
		number, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		msg = msg[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, typ, msg); n < 0 {
				return protowire.ParseError(n)
			}
			msg = msg[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(msg)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := f(number, value); err != nil {
			return err
		}
		msg = msg[n:]
	}
	return nil
}
