package render

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/jsonmsg"
	"github.com/dyngate/dyngate/internal/safetext"
)

// extraSpace matches the additional space that prototext writes after the colon of
// fields in some builds. A field has a line of its own, with neither space nor quote
// before its colon, so it never matches inside a string.
var extraSpace = regexp.MustCompile(`(?m)^( *[^ "]+:)  `)

func appendText(b []byte, m proto.Message, o Options) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // as jsonmsg has to
			err = fmt.Errorf("the message cannot be handled: %v", r)
		}
	}()
	options := prototext.MarshalOptions{Multiline: true, AllowPartial: true, Resolver: jsonmsg.AnyTypes(o.Types, m)}
	text, err := options.Marshal(m)
	if err != nil {
		return nil, errors.New(strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0"))
	}
	return append(b, safetext.Escape(stable(text))...), nil
}

func stable(text []byte) []byte { return extraSpace.ReplaceAll(text, []byte("$1 ")) }
