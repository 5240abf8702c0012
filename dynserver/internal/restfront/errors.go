package restfront

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/nearest"
)

// httpStatus returns the HTTP status of a code, as google/rpc/code.proto defines it.
func httpStatus(code codes.Code) int {
	if int(code) < len(httpStatuses) {
		return httpStatuses[code]
	}
	return http.StatusInternalServerError
}

const statusClientClosed = 499 // nginx's; code.proto names it for CANCELLED

var httpStatuses = [...]int{
	codes.OK:                 http.StatusOK,
	codes.Canceled:           statusClientClosed,
	codes.Unknown:            http.StatusInternalServerError,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusGatewayTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusBadRequest,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Internal:           http.StatusInternalServerError,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.DataLoss:           http.StatusInternalServerError,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// refusal is the error of a request that the front itself refuses. It has a status,
// and an HTTP status that may be more precise.
type refusal struct {
	status *status.Status
	code   int    // the HTTP status
	header string // a header that explains it, if not empty
	value  string
}

// Error implements error.
func (r *refusal) Error() string { return r.status.Err().Error() }

// GRPCStatus returns the status, which middleware and callers see.
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// refuse returns a refusal whose HTTP status is that of its code.
func refuse(code codes.Code, format string, args ...any) *refusal {
	return &refusal{status: status.Newf(code, format, args...), code: httpStatus(code)}
}

func notFound(g *dispatch.Generation, verb, path string) *refusal {
	near := g.HTTP().Near(path, 3)
	if len(near) == 0 && verb == http.MethodPost && strings.Count(path, "/") == 2 {
		return refuse(codes.NotFound, "%s", status.Convert(g.Unknown(path)).Message())
	}
	return refuse(codes.NotFound, "no method is at %s %s%s", verb, clip(path), nearest.DidYouMean(near))
}

// wrongVerb refuses a verb. The path has the sorted verbs of allow, which is not empty.
func wrongVerb(verb, path string, allow []string) *refusal {
	use := slices.DeleteFunc(slices.Clone(allow), func(v string) bool {
		return v == http.MethodHead && slices.Contains(allow, http.MethodGet)
	})
	r := refuse(codes.Unimplemented, "no method is at %s %s; use %s", clip(verb), clip(path), strings.Join(use, " or "))
	r.code = http.StatusMethodNotAllowed
	return r
}

// unsupported refuses a content type or an encoding. The header says what is
// accepted.
func unsupported(what, got, header, accepted string) *refusal {
	r := refuse(codes.InvalidArgument, "the %s %q is not supported; supported: %s", what, clip(got), accepted)
	r.code, r.header, r.value = http.StatusUnsupportedMediaType, header, accepted
	return r
}

func tooLarge(what string, limit int) *refusal {
	r := refuse(codes.ResourceExhausted, "%s has more than %d bytes", what, limit)
	r.code = http.StatusRequestEntityTooLarge
	return r
}

// violation is a mistake in a part of a request: a JSON pointer into the body, or
// the name of a parameter.
type violation = errdetails.BadRequest_FieldViolation

// invalid returns the refusal of a request with mistakes.
func invalid(message string, violations ...*violation) *refusal {
	st := status.New(codes.InvalidArgument, message)
	if len(violations) == 0 {
		return &refusal{status: st, code: http.StatusBadRequest}
	}
	if with, err := st.WithDetails(&errdetails.BadRequest{FieldViolations: violations}); err == nil {
		st = with
	}
	return &refusal{status: st, code: http.StatusBadRequest}
}

// invalidParam returns the refusal of a parameter, a variable of the path or a query
// parameter for example.
func invalidParam(kind, name, problem string) *refusal {
	return invalid(fmt.Sprintf("%s %s: %s", kind, strconv.Quote(clip(name)), problem), &violation{Field: clip(name), Description: problem})
}

// invalidBody returns the refusal of a JSON document.
func invalidBody(err error) *refusal {
	wrong, ok := errors.AsType[*transcode.Error](err)
	if !ok {
		return invalid("the request body: " + err.Error())
	}
	all := make([]*violation, 0, max(len(wrong.Missing), 1))
	for _, path := range wrong.Missing {
		missing := transcode.Error{Path: path}
		all = append(all, &violation{Field: missing.Pointer(), Description: "the required field is not set"})
	}
	if len(all) == 0 {
		bare := *wrong
		bare.Path = nil
		all = append(all, &violation{Field: wrong.Pointer(), Description: bare.Error()})
	}
	return invalid("the request body: "+wrong.Error(), all...)
}

// invalidMessage returns the refusal of a request that lacks a required field when all
// its parts are put together.
func invalidMessage(err error) *refusal {
	wrong, ok := errors.AsType[*transcode.Error](err)
	if !ok {
		return invalid(err.Error())
	}
	return invalid(wrong.Error(), &violation{Field: wrong.Pointer(), Description: "the required field is not set"})
}

// clip shortens a text that a caller sent, before it is sent back, and makes it valid
// UTF-8, which all texts of a status must be.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// unique returns the sorted names without repetitions.
func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// appendStatus appends a status as JSON. A detail of a type that the closure does not
// declare is written as its type and base64.
func (f *Front) appendStatus(dst []byte, st *status.Status, plans *transcode.Plans) []byte {
	pb := st.Proto()
	pb.Message = strings.ToValidUTF8(pb.Message, "\uFFFD")
	opts := f.opts.encode()
	opts.Lenient, opts.Indent = true, f.opts.Indent
	plan := plans.Plan(pb.ProtoReflect().Descriptor())
	for {
		wire, err := proto.Marshal(pb)
		if err == nil {
			var out []byte
			if out, err = plan.AppendJSON(dst, wire, opts); err == nil {
				return out
			}
		}
		if pb.Details == nil {
			return append(dst, `{"code":13}`...) // cannot happen: a code and a text can be written
		}
		f.opts.Log.Warn("the details of an error cannot be written as JSON", "error", err)
		pb.Details = nil
	}
}

// retryAfter returns the value of the header Retry-After for a status with a
// google.rpc.RetryInfo, in seconds, or "".
func retryAfter(pb *rpcstatus.Status) string {
	for _, detail := range pb.GetDetails() {
		var retry errdetails.RetryInfo
		if !detail.MessageIs(&retry) || detail.UnmarshalTo(&retry) != nil || retry.RetryDelay == nil {
			continue
		}
		seconds := retry.RetryDelay.GetSeconds()
		if retry.RetryDelay.GetNanos() > 0 {
			seconds++
		}
		if seconds >= 0 {
			return strconv.FormatInt(seconds, 10)
		}
	}
	return ""
}
