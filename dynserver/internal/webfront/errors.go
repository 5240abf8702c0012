package webfront

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/handlers"
)

// statusError returns an error of connect as one with a status.
func statusError(err error) error {
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return err
	}
	return status.Error(codes.Code(wrong.Code()), wrong.Message())
}

// connectError returns an error with a status as one of connect.
func connectError(err error, m *handlers.Method, protocol string) *connect.Error {
	st := status.Convert(err)
	out := connect.NewError(connect.Code(st.Code()), errors.New(st.Message()))
	for _, packed := range st.Proto().GetDetails() {
		if detail, err := connect.NewErrorDetail(content(packed, m, protocol)); err == nil {
			out.AddDetail(detail)
		}
	}
	return out
}

// content returns what connect should make a detail of. Connect's errors also show a
// detail as JSON, which needs the message and not only its bytes.
func content(packed *anypb.Any, m *handlers.Method, protocol string) proto.Message {
	if protocol != connect.ProtocolConnect || m == nil {
		return packed
	}
	t, err := m.Types.FindMessageByURL(packed.GetTypeUrl())
	if err != nil {
		return packed
	}
	msg := t.New().Interface()
	if err := proto.Unmarshal(packed.GetValue(), msg); err != nil {
		return packed
	}
	return msg
}

// refuse answers a request for an unknown method.
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, err error) {
	wrong := connectError(err, nil, "")
	content := mediaType(r)
	if isGRPC(content) || strings.HasPrefix(content, connectStream) {
		_ = f.errors.Write(w, r, wrong) // fails only if the caller is gone
		return
	}
	// A unary call of Connect: the path is wrong, so the status is that of a wrong path.
	body, _ := json.Marshal(struct {
		Code    connect.Code `json:"code"`
		Message string       `json:"message"`
	}{wrong.Code(), wrong.Message()})
	w.Header()["Content-Type"] = []string{"application/json"}
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(body)
}

// jsonError is a response that has no JSON form. Its text may have values of the
// message, so that only the log gets it: to the caller it is INTERNAL.
type jsonError struct{ err error }

func (e *jsonError) Error() string { return "cannot write the response as JSON: " + e.err.Error() }

func (e *jsonError) Unwrap() error { return e.err }
