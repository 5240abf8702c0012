package restfront

import (
	"errors"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Values of headers, which are shared by all responses.
var (
	jsonTypes   = []string{jsonType}
	octetStream = []string{"application/octet-stream"}
	noSniff     = []string{"nosniff"}
)

// keep transcodes the only response of a call. It is written when the handler has
// returned.
func (c *call) keep(msg []byte) error {
	if c.reply != nil {
		return status.Error(codes.Internal, "more than one response was sent")
	}
	s := getScratch()
	err := c.encode(s, msg)
	if err != nil {
		s.free()
		return err
	}
	c.reply = s
	return nil
}

// encode puts the body for a response into s.text.
func (c *call) encode(s *scratch, msg []byte) error {
	if limit := c.front.opts.MaxSendBytes; len(msg) > limit {
		return status.Errorf(codes.ResourceExhausted, "the response has %d bytes, the limit is %d", len(msg), limit)
	}
	e, opts := c.endpoint, c.front.opts.encode()
	opts.Indent = c.front.opts.Indent && c.sink == nil
	var err error
	switch {
	case e.rawOut != nil && !c.socket:
		var data []byte
		if c.replyType, data, err = c.raw(msg); err == nil {
			s.text = append(s.text[:0], data...)
		}
	case e.Response != nil:
		s.text, err = e.out.AppendJSONField(s.text[:0], msg, e.Response, opts)
	default:
		s.text, err = e.out.AppendJSON(s.text[:0], msg, opts)
	}
	if err == nil {
		return nil
	}
	// The error may quote a value, so it is only in the log.
	c.front.opts.Log.ErrorContext(c.ctx, "the response of a handler cannot be written as JSON", "method", c.Method().Path(), "error", err)
	return status.Error(codes.Internal, "the response cannot be written as JSON")
}

// raw returns the content type and the data of a response that is a
// google.api.HttpBody.
func (c *call) raw(msg []byte) (contentType []string, data []byte, err error) {
	kind, data, err := c.endpoint.rawOut.split(msg)
	if kind == "" {
		return octetStream, data, err
	}
	return []string{kind}, data, err
}

// finish answers the call. err is what its handler has returned.
func (c *call) finish(err error) {
	switch {
	case c.sink != nil:
		c.sink.finish(c, err)
	case err != nil:
		c.fail(err)
	default:
		c.succeed()
	}
	if c.reply != nil {
		c.reply.free()
		c.reply = nil
	}
}

// errNoReply is the error of a middleware that returns nil without a response.
var errNoReply = status.Error(codes.Internal, "the method returned no response")

// succeed writes the only response of a call.
func (c *call) succeed() {
	if c.reply == nil {
		c.fail(errNoReply)
		return
	}
	code := c.successCode()
	h := c.w.Header()
	c.addHeader(h)
	if !bodyAllowed(code) {
		c.w.WriteHeader(code)
		return
	}
	contentType := jsonTypes
	if c.endpoint.rawOut != nil {
		contentType = c.replyType
		h["X-Content-Type-Options"] = noSniff
	}
	c.front.write(c.w, c.r, code, contentType, c.reply.text, len(c.trailer) > 0)
}

// bodyAllowed reports whether a response of an HTTP status may have a body.
func bodyAllowed(code int) bool {
	return code != http.StatusNoContent && code != http.StatusResetContent && code != http.StatusNotModified
}

// addHeader adds the metadata of the response to its header, and the trailers if the
// caller wants them.
func (c *call) addHeader(h http.Header) {
	c.closeUnread(h)
	if md := c.takeHeader(); len(md) > 0 {
		c.front.headers.add(h, md)
	}
	if len(c.trailer) > 0 {
		if wantsTrailers(c.r) {
			addTrailer(h, c.trailer)
		} else {
			c.trailer = nil
		}
	}
}

// successCode returns the HTTP status of a call that has succeeded: the handler's, the
// rule's, or 200.
func (c *call) successCode() int {
	if code := c.chosenCode(http.StatusOK, http.StatusBadRequest); code != 0 {
		return code
	}
	if c.endpoint.Success != 0 {
		return c.endpoint.Success
	}
	return http.StatusOK
}

// chosenCode returns the HTTP status that the handler has chosen, which must be at least
// low and less than high, or 0.
func (c *call) chosenCode(low, high int) int {
	if len(c.header) == 0 {
		return 0
	}
	values := c.header.Get(codeKey)
	if len(values) == 0 {
		return 0
	}
	code, err := strconv.Atoi(values[len(values)-1])
	if err != nil || code < low || code >= high {
		c.front.opts.Log.WarnContext(c.ctx, "a handler has chosen an HTTP status that does not fit", "method", c.Method().Path(), codeKey, values)
		return 0
	}
	return code
}

// fail answers with an error.
func (c *call) fail(err error) {
	st := status.Convert(err)
	why := &refusal{status: st, code: httpStatus(st.Code())}
	var refused *refusal
	if errors.As(err, &refused) {
		why = refused
	} else if c.refused != nil && c.refused.status.Code() == st.Code() && c.refused.status.Message() == st.Message() {
		why = c.refused // Guard has replaced it by its status
	}
	h := c.w.Header()
	c.addHeader(h)
	code := why.code
	if chosen := c.chosenCode(http.StatusBadRequest, 600); chosen != 0 {
		code = chosen
	}
	c.front.writeError(c.w, c.r, c.endpoint, why, code)
}

// reject answers a request that reaches no method.
func (f *Front) reject(w http.ResponseWriter, r *http.Request, why *refusal) {
	f.writeError(w, r, nil, why, why.code)
}

// writeError writes a status. e is nil if the request has reached no method.
func (f *Front) writeError(w http.ResponseWriter, r *http.Request, e *endpoint, why *refusal, code int) {
	h := w.Header()
	if why.header != "" {
		h[why.header] = []string{why.value}
	}
	if h["Retry-After"] == nil {
		if after := retryAfter(why.status.Proto()); after != "" {
			h["Retry-After"] = []string{after}
		}
	}
	if code == http.StatusUnauthorized && h["Www-Authenticate"] == nil {
		h["Www-Authenticate"] = []string{"Bearer"} // RFC 9110 requires one
	}
	plans := globalPlans
	if e != nil {
		plans = e.plans
	}
	s := getScratch()
	defer s.free()
	s.text = f.appendStatus(s.text[:0], why.status, plans)
	contentType := jsonTypes
	if code == http.StatusUnsupportedMediaType {
		contentType = foreignTypes
	}
	f.write(w, r, code, contentType, s.text, false)
}

// foreignTypes is for the errors of requests whose content type does not tell the
// protocol. To clients of Connect, which have the same paths, the bare type would mean
// an error in Connect's form, as the conformance suite checks.
var foreignTypes = []string{jsonType + "; charset=utf-8"}

// autoLength is the size up to which net/http itself adds the length of a body.
const autoLength = 2048

// write writes a response with a body, and its length unless trailers follow.
func (f *Front) write(w http.ResponseWriter, r *http.Request, code int, contentType []string, body []byte, trailers bool) {
	h := w.Header()
	h["Content-Type"] = contentType
	if f.opts.MinCompressBytes >= 0 && len(body) >= f.opts.MinCompressBytes {
		s := getScratch()
		defer s.free()
		body = f.compress(h, r, s, body)
	}
	if len(body) > autoLength && !trailers {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if code != http.StatusOK {
		w.WriteHeader(code)
	}
	_, _ = w.Write(body) // the caller may have gone away
}
