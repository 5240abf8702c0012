package httpport

import (
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

// writeStatus writes a google.rpc.Status as JSON.
func writeStatus(w http.ResponseWriter, code int, st *status.Status) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(struct { // fails if the client is gone
		Code    codes.Code `json:"code"`
		Message string     `json:"message"`
		Details []any      `json:"details"`
	}{st.Code(), st.Message(), []any{}})
}
