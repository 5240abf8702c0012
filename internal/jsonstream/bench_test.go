package jsonstream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/internal/jsonstream"
)

// BenchmarkNext reads documents of two sizes.
func BenchmarkNext(b *testing.B) {
	for name, doc := range map[string]string{
		"hello": `{"name":"Ada Lovelace"}`,
		"order": `{"items":[` + strings.Repeat(`{"sku":"A-1 \"x\"","qty":12,"price":{"units":"1234","nanos":5}},`, 150) + `{}]}`,
	} {
		for _, unchecked := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/unchecked=%t", name, unchecked), func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				b.ReportAllocs()
				r := jsonstream.New(&ring{text: doc + "\n"}, 1<<20)
				if unchecked {
					r.Unchecked()
				}
				for b.Loop() {
					if _, err := r.Next(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// ring is an endless input.
type ring struct {
	text string
	pos  int
}

func (r *ring) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		c := copy(p[n:], r.text[r.pos:])
		n += c
		r.pos = (r.pos + c) % len(r.text)
	}
	return n, nil
}
