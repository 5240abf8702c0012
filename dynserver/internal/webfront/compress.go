package webfront

import (
	"fmt"
	"io"
	"net/http"

	"connectrpc.com/connect"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow limits the memory of a decompressor, whatever the limit of messages is.
// RFC 9659 limits the windows of zstd in HTTP to the same size; brotli's are at most
// twice as large.
const maxWindow = 8 << 20

// compressions returns the compressions that calls may use, for messages up to limit
// bytes. connect prefers the last one where it has a choice.
func compressions(limit int) []connect.HandlerOption {
	return []connect.HandlerOption{
		compression("br", limit,
			func() decompressor { return brotli.NewReader(nil) },
			func() connect.Compressor { return brotli.NewWriterLevel(nil, brotliLevel) }),
		compression("zstd", limit,
			func() decompressor { return newZstdReader() },
			func() connect.Compressor { return newZstdWriter() }),
		compression("gzip", limit,
			func() decompressor { return new(gzip.Reader) },
			func() connect.Compressor { return gzip.NewWriter(io.Discard) }),
	}
}

// brotliLevel costs about as much as the defaults of the others.
const brotliLevel = 4

func compression(name string, limit int, in func() decompressor, out func() connect.Compressor) connect.HandlerOption {
	return connect.WithCompression(name, func() connect.Decompressor { return newLimited(in, limit) }, out)
}

// decompressor is a connect.Decompressor whose Close need not report anything.
type decompressor interface {
	io.Reader
	Reset(src io.Reader) error
}

// limited fails when more bytes than the limit come out of a decompressor. connect
// has the same limit, but it counts the rest: of a small message that would be
// gigabytes.
//
// connect uses it again for messages of other callers. So a decompressor that has not
// reached the end of its message is replaced: brotli's keeps unread input when it is
// reset.
type limited struct {
	in    decompressor
	make  func() decompressor
	limit int64

	read   int64
	unread bool // the message has not been read to its end
}

func newLimited(in func() decompressor, limit int) *limited {
	return &limited{in: in(), make: in, limit: int64(limit)}
}

// Reset implements connect.Decompressor.
func (l *limited) Reset(src io.Reader) error {
	if l.unread {
		l.in = l.make()
	}
	l.read, l.unread = 0, src != http.NoBody // with which connect ends the use of the last source
	return l.in.Reset(src)
}

// Read implements connect.Decompressor.
func (l *limited) Read(p []byte) (int, error) {
	if l.read > l.limit {
		return 0, connect.NewError(connect.CodeResourceExhausted, errTooLarge(l.limit))
	}
	n, err := l.in.Read(p)
	l.read += int64(n)
	if err == io.EOF {
		l.unread = false
	}
	return n, err
}

// Close implements connect.Decompressor. Decompressors are kept for the next message.
func (*limited) Close() error { return nil }

// errTooLarge is the error for a message that is larger than its limit.
func errTooLarge(limit int64) error {
	return fmt.Errorf("the message has more than %d bytes when it is decompressed", limit)
}

// newZstdReader returns a reader without goroutines, so that it need not be closed.
func newZstdReader() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecodeBuffersBelow(0))
	if err != nil {
		panic(err) // an option is wrong
	}
	return d
}

// newZstdWriter returns a writer without goroutines.
func newZstdWriter() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // an option is wrong
	}
	return e
}
