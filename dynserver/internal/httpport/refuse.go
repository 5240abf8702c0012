package httpport

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errorWriter writes errors for the clients of gRPC, gRPC-Web and Connect.
var errorWriter = connect.NewErrorWriter()

// refuse answers a request that reaches no front, in the form of its protocol. The
// error has a status, UNAVAILABLE or PERMISSION_DENIED.
func (s *Server) refuse(x *exchange, err error) {
	st := status.Convert(err)
	if s.opts.Speaks(x.request) {
		_ = errorWriter.Write(x, x.request, connect.NewError(connect.Code(st.Code()), errors.New(st.Message())))
		return
	}
	code := http.StatusServiceUnavailable
	if st.Code() == codes.PermissionDenied {
		code = http.StatusForbidden
	}
	writeStatus(x, code, st)
}

// writeStatus writes a google.rpc.Status without details as JSON, in the form that restfront's
// errors have.
func writeStatus(w http.ResponseWriter, code int, st *status.Status) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(struct { // cannot fail
		Code    codes.Code `json:"code"`
		Message string     `json:"message"`
	}{st.Code(), st.Message()})
	_, _ = w.Write(bytes.TrimSuffix(body.Bytes(), []byte("\n"))) // fails if the client is gone
}
