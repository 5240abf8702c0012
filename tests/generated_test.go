package tests

import (
	"context"
	"iter"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// generatedProto has methods whose messages have generated code. The schema
// extends one of them by a message that the code does not know, so that its
// bytes are read by the schema while the rest is read by the code.
const generatedProto = `syntax = "proto2";

package gen;

import "google/protobuf/descriptor.proto";
import "google/protobuf/struct.proto";
import "lab.proto";

extend google.protobuf.MethodOptions {
  optional lab.Msg lab = 50001;
  repeated lab.Msg labs = 50002;
}

service Gen {
  rpc Plain(google.protobuf.Struct) returns (google.protobuf.Struct);
  rpc Extended(google.protobuf.MethodOptions) returns (google.protobuf.MethodOptions);
  rpc Field(Holder) returns (Holder);
  rpc Own(stream google.protobuf.MethodOptions) returns (stream google.protobuf.MethodOptions);
}

message Holder {
  optional google.protobuf.MethodOptions options = 1;
}
`

type holder struct{ Options *descriptorpb.MethodOptions }

const (
	genPlain    = "/gen.Gen/Plain"
	genExtended = "/gen.Gen/Extended"
	genField    = "/gen.Gen/Field"
	genOwn      = "/gen.Gen/Own"
)

func startGenerated(t testing.TB) *local {
	t.Helper()
	reg := handlers.NewRegistry()
	registerLab(reg)
	reg.Handle("gen.Gen/Plain", handlers.Unary(func(_ context.Context, in *structpb.Struct) (*structpb.Struct, error) { return in, nil }))
	reg.Handle("gen.Gen/Extended", handlers.Unary(func(_ context.Context, in *descriptorpb.MethodOptions) (*descriptorpb.MethodOptions, error) {
		return in, nil
	}))
	reg.Handle("gen.Gen/Field", handlers.Unary(func(_ context.Context, in *holder) (*holder, error) { return in, nil }))
	reg.Handle("gen.Gen/Own", handlers.Bidi(generatedOwn))
	return startLocal(t, dynserver.Config{Handlers: reg, Sources: []dynserver.Source{dynserver.Path(folder(t, map[string]string{
		"lab.proto": labProto, "gen.proto": generatedProto,
	}))}})
}

// generatedOwn receives on a goroutine of its own, as the documentation of Bidi
// allows. Nobody recovers a panic there: it would end the process.
func generatedOwn(_ context.Context, in iter.Seq2[*descriptorpb.MethodOptions, error]) iter.Seq2[*descriptorpb.MethodOptions, error] {
	type received struct {
		msg *descriptorpb.MethodOptions
		err error
	}
	return func(yield func(*descriptorpb.MethodOptions, error) bool) {
		all, left := make(chan received), make(chan struct{})
		defer close(left)
		go func() { // ends with the call
			defer close(all)
			for msg, err := range in {
				select {
				case all <- received{msg, err}:
				case <-left:
					return
				}
			}
		}()
		for r := range all {
			if !yield(r.msg, r.err) || r.err != nil {
				return
			}
		}
	}
}

// extensionOf are MethodOptions whose extension has this body.
func extensionOf(body []byte) []byte { return message(50001, body) }

// TestHostileExtensions hides the hostile messages in an extension of a
// generated message. What is no message stays none; what is one by a hair may be
// refused there, as the decoder of extensions is not ours.
func TestHostileExtensions(t *testing.T) {
	t.Parallel()
	s := startGenerated(t)
	t.Cleanup(func() { noPanics(t, s) })
	for _, path := range []string{genExtended, genOwn} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			for _, test := range hostileMessages {
				_, err := open(timeout(t), t, s.conn, path).send(extensionOf(test.body)).done().all()
				refusedWell(t, test.name, err)
				if test.want != codes.OK && err == nil {
					t.Errorf("%s: taken, want %v", test.name, test.want)
				}
			}
			s.alive(t)
		})
	}
	t.Run(genField, func(t *testing.T) {
		t.Parallel()
		for _, test := range hostileMessages {
			_, err := invoke(timeout(t), s.conn, genField, message(1, extensionOf(test.body)))
			refusedWell(t, test.name, err)
		}
		s.alive(t)
	})
}

// refusedWell checks that a message was taken, or refused for what it is.
func refusedWell(t testing.TB, name string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if wantCode(t, err, codes.Internal); !strings.Contains(err.Error(), "cannot decode the request") {
		t.Errorf("%s: %v", name, err)
	}
}

// TestHostileGenerated sends them to generated code as they are. What they mean
// there differs; that they do no harm does not.
func TestHostileGenerated(t *testing.T) {
	t.Parallel()
	s := startGenerated(t)
	for _, path := range []string{genPlain, genExtended, genField, genOwn} {
		for _, test := range hostileMessages {
			_, err := open(timeout(t), t, s.conn, path).send(test.body).done().all()
			refusedWell(t, test.name, err)
		}
		s.alive(t)
	}
	noPanics(t, s)
}

// noPanics makes sure that none was only kept from the caller.
func noPanics(t testing.TB, s *local) {
	t.Helper()
	if _, panicked, ok := strings.Cut(s.log.String(), "panicked"); ok {
		t.Errorf("a handler panicked%.2000s", panicked)
	}
}

// TestExtensionDepth nests messages to the limit and beyond it, in extensions
// that come once, come often, or come in pieces that are to be merged.
func TestExtensionDepth(t *testing.T) {
	t.Parallel()
	s := startGenerated(t)
	for name, test := range map[string]struct {
		body []byte
		want codes.Code
	}{
		"at the limit":           {message(50001, nested(98)), codes.OK},
		"beyond it":              {message(50001, nested(99)), codes.Internal},
		"far beyond it":          {message(50001, nested(10_000)), codes.Internal},
		"repeated, at the limit": {message(50002, nested(98)), codes.OK},
		"repeated, beyond it":    {message(50002, nested(99)), codes.Internal},
		"the last of many":       {append(repeatedly(message(50002, nested(1)), 1000), message(50002, nested(99))...), codes.Internal},
		"the second piece":       {append(message(50001, nested(1)), message(50001, nested(99))...), codes.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{genExtended, genOwn} {
				out, err := open(timeout(t), t, s.conn, path).send(test.body).done().all()
				if wantCode(t, err, test.want); err == nil && len(out) != 1 {
					t.Errorf("%s: %d answers", path, len(out))
				}
			}
			s.alive(t)
		})
	}
}

func repeatedly(b []byte, n int) (all []byte) {
	for range n {
		all = append(all, b...)
	}
	return all
}

// TestExtensionsComeBack checks that what is good in an extension survives
// generated code that does not know it.
func TestExtensionsComeBack(t *testing.T) {
	t.Parallel()
	s := startGenerated(t)
	lab := extensionOf(message(3, text(1, "inside")))
	for path, body := range map[string][]byte{genExtended: lab, genField: message(1, lab), genOwn: lab} {
		out, err := open(timeout(t), t, s.conn, path).send(body).done().all()
		if err != nil || len(out) != 1 || string(out[0]) != string(body) {
			t.Errorf("%s: got %x, %v, want %x", path, out, err, body)
		}
	}
	out, err := invoke(timeout(t), s.conn, genExtended, protowire.AppendVarint(protowire.AppendTag(nil, 33, protowire.VarintType), 1))
	if err != nil || len(out) == 0 {
		t.Errorf("deprecated: %x, %v", out, err)
	}
}
