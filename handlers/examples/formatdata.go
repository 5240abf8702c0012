package examples

import (
	"context"
	"strings"
)

// data is example.Data of protos/formatdata/data.proto.
type data struct{ Text string }

func doFormat(_ context.Context, in *data) (*data, error) {
	return &data{Text: strings.ToUpper(in.Text)}, nil
}
