package restfront

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// contentEncodings are the encodings of bodies, in both directions.
const contentEncodings = "gzip, zstd"

// maxWindow is the largest window of zstd that is accepted (RFC 9659).
const maxWindow = 8 << 20

// resetReader is a decompressor that can be used again.
type resetReader interface {
	io.Reader
	Reset(io.Reader) error
}

var (
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdReaders = sync.Pool{New: func() any { return newZstdReader() }}
	gzipWriters = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}
	zstdWriter  = sync.OnceValue(newZstdWriter) // its EncodeAll is safe for concurrent use
)

func newZstdReader() *zstd.Decoder {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		panic(err) // cannot happen: the options are valid
	}
	return r
}

func newZstdWriter() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // cannot happen: the options are valid
	}
	return w
}

// inflated is a request body that is decompressed.
type inflated struct {
	reader resetReader
	pool   *sync.Pool
	source *connBody
}

// errEncoding is the error of a body that is not of its encoding.
var errEncoding = errors.New("it is not of its Content-Encoding")

// inflate returns a reader of a request body with a Content-Encoding. The error is a
// *refusal, errEncoding, or that of the body.
func inflate(body *connBody, encodings []string) (io.Reader, error) {
	encoding := ""
	for _, name := range encodings {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" || name == "identity" {
			continue
		}
		if encoding != "" || name != "gzip" && name != "x-gzip" && name != "zstd" {
			return nil, unsupported("content encoding", strings.Join(encodings, ", "), "Accept-Encoding", contentEncodings)
		}
		encoding = name
	}
	if encoding == "" {
		return body, nil
	}
	in := &inflated{pool: &gzipReaders, source: body}
	if encoding == "zstd" {
		in.pool = &zstdReaders
	}
	in.reader = in.pool.Get().(resetReader) //nolint:forcetypeassert // the pools have nothing else
	if err := in.reader.Reset(body); err != nil {
		if err = in.explain(err); err == io.EOF {
			return body, nil
		}
		return nil, err
	}
	return in, nil
}

// Read implements io.Reader.
func (in *inflated) Read(p []byte) (int, error) {
	n, err := in.reader.Read(p)
	if err != nil && err != io.EOF {
		err = in.explain(err)
	}
	return n, err
}

// explain returns the error of the body, if that is the reason of err.
func (in *inflated) explain(err error) error {
	if in.source.err != nil {
		return in.source.err
	}
	if err == io.EOF && in.source.empty() { // gzip wants a header
		return io.EOF
	}
	return errEncoding
}

// free returns the decompressor to its pool. It is optional.
func (in *inflated) free() {
	_ = in.reader.Reset(strings.NewReader("")) // drops the body; an empty input may be an error
	in.pool.Put(in.reader)
}

// acceptedEncoding returns the encoding in which to send a response: "gzip", "zstd", or
// "" for none. The highest q wins, and zstd among equals.
func acceptedEncoding(accept []string) string {
	gzipQ, zstdQ, anyQ := -1.0, -1.0, -1.0
	for _, list := range accept {
		for item := range strings.SplitSeq(list, ",") {
			name, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				gzipQ = quality(params)
			case "zstd":
				zstdQ = quality(params)
			case "*":
				anyQ = quality(params)
			}
		}
	}
	if gzipQ < 0 {
		gzipQ = anyQ
	}
	switch { // a wildcard alone does not ask for zstd, which few clients have
	case zstdQ > 0 && zstdQ >= gzipQ:
		return "zstd"
	case gzipQ > 0:
		return "gzip"
	}
	return ""
}

// quality returns the weight among the parameters of an item of an Accept header.
func quality(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || q < 0 || q > 1 {
			return 0
		}
		return q
	}
	return 1
}

// compress returns body in the encoding that the caller of r accepts, in s, and sets
// the headers that say so; or body itself.
func (f *Front) compress(h http.Header, r *http.Request, s *scratch, body []byte) []byte {
	if h["Content-Encoding"] != nil {
		return body
	}
	h["Vary"] = append(h["Vary"], "Accept-Encoding")
	accept := r.Header["Accept-Encoding"]
	if accept == nil {
		return body
	}
	switch acceptedEncoding(accept) {
	case "gzip":
		s.text = appendGzip(s.text[:0], body)
		h["Content-Encoding"] = []string{"gzip"}
	case "zstd":
		s.text = zstdWriter().EncodeAll(body, s.text[:0])
		h["Content-Encoding"] = []string{"zstd"}
	default:
		return body
	}
	return s.text
}

// appendWriter appends what is written.
type appendWriter []byte

func (w *appendWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

func appendGzip(dst, body []byte) []byte {
	to := appendWriter(dst)
	w := gzipWriters.Get().(*gzip.Writer) //nolint:forcetypeassert // the pool has nothing else
	defer gzipWriters.Put(w)
	w.Reset(&to)
	_, _ = w.Write(body) // cannot fail: appending does not
	_ = w.Close()
	w.Reset(nil)
	return to
}
