package restfront

import (
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/framing"
)

// openStream prepares a call of a method that streams requests or responses.
func (c *call) openStream() error {
	e := c.endpoint
	if e.manyIn && c.r.ProtoMajor == 1 {
		// Otherwise net/http reads the rest of the body before it sends a response.
		_ = http.NewResponseController(c.w).EnableFullDuplex()
	}
	switch {
	case !e.manyOut:
	case e.rawOut != nil:
		c.sink = new(rawSink)
	default:
		media, format, ok := framing.Choose(c.r.Header["Accept"])
		if !ok {
			r := refuse(codes.InvalidArgument, "none of the accepted content types is supported; supported: %s", strings.Join(framing.Offers(), ", "))
			r.code = http.StatusNotAcceptable
			return r
		}
		c.sink = newStreamSink(c, media, format)
	}
	return nil
}

// errGone is the error of a Send whose caller does not take the response.
var errGone = status.Error(codes.Canceled, "the caller has gone away")

// streamSink writes responses in one of the formats of package framing.
type streamSink struct{ writer *framing.Writer }

// newStreamSink returns the sink of a call. It must be finished. If the format is that
// of Server-Sent Events, the header may be sent before the handler sends anything.
func newStreamSink(c *call, media string, format framing.Format) streamSink {
	begin := func() framing.EventFields {
		md := c.takeHeader()
		h := c.w.Header()
		framing.SetHeader(h, media)
		h["Vary"] = append(h["Vary"], "Accept")
		c.beginStream(h, md)
		return framing.EventFieldsOf(func(key string) string { return last(md, key) })
	}
	return streamSink{framing.NewWriter(framing.ResponseOutput(c.w, begin), format, framing.Options{
		KeepAlive: c.front.opts.KeepAlive, WriteTimeout: c.front.opts.WriteTimeout,
	})}
}

// last returns the last value of a key.
func last(md metadata.MD, key string) string {
	if values := md.Get(key); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// beginStream sends the header of a streamed response.
func (c *call) beginStream(h http.Header, md metadata.MD) {
	c.front.headers.add(h, md)
	c.closeUnread(h)
	if code := c.successCode(); bodyAllowed(code) {
		c.w.WriteHeader(code)
	}
}

func (s streamSink) begin(*call) error {
	if s.writer.Begin() != nil {
		return errGone
	}
	return nil
}

func (s streamSink) send(c *call, msg []byte) error {
	text := getScratch()
	defer text.free()
	if err := c.encode(text, msg); err != nil {
		return err
	}
	if s.writer.Message(text.text) != nil || c.r.Method == http.MethodHead {
		return errGone
	}
	return nil
}

func (s streamSink) finish(c *call, err error) {
	if err == nil {
		_ = s.writer.End()
		c.endStream()
		return
	}
	text := getScratch()
	defer text.free()
	text.text = c.front.appendStatus(text.text[:0], status.Convert(err), c.endpoint.plans)
	if sent, _ := s.writer.Fail(text.text); !sent {
		c.fail(err)
		return
	}
	c.endStream()
}

// endStream sends the trailers if the caller wants them.
func (c *call) endStream() {
	if len(c.trailer) > 0 && wantsTrailers(c.r) {
		addTrailer(c.w.Header(), c.trailer)
	}
}

// rawSink writes the data of a stream of google.api.HttpBody.
type rawSink struct{ begun bool }

func (s *rawSink) begin(c *call) error {
	if s.begun {
		return nil
	}
	c.takeHeader() // it needs the content type of the first response, so it is sent later
	return nil
}

func (s *rawSink) send(c *call, msg []byte) error {
	text := getScratch()
	defer text.free()
	if err := c.encode(text, msg); err != nil {
		return err
	}
	s.start(c, c.replyType)
	control := http.NewResponseController(c.w)
	limit := def(c.front.opts.WriteTimeout, framing.DefaultWriteTimeout)
	if limit > 0 {
		_ = control.SetWriteDeadline(time.Now().Add(limit))
		defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	}
	if _, err := c.w.Write(text.text); err != nil || c.r.Method == http.MethodHead {
		return errGone
	}
	_ = control.Flush() // a middleware may hide it
	return nil
}

// start sends the header, once.
func (s *rawSink) start(c *call, contentType []string) {
	if s.begun {
		return
	}
	s.begun = true
	h := c.w.Header()
	h["Content-Type"] = contentType
	h["X-Content-Type-Options"] = noSniff
	c.beginStream(h, c.takeHeader())
}

func (s *rawSink) finish(c *call, err error) {
	switch {
	case err == nil:
		s.start(c, octetStream)
		c.endStream()
	case !s.begun:
		c.fail(err)
	default:
		// The data has no place for an error, so the caller must notice that it is not
		// complete: net/http cuts the response off.
		panic(http.ErrAbortHandler)
	}
}
