package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// testCase is a ClientCompatRequest.
type testCase struct {
	TestName            string                      `json:"testName"`
	HTTPVersion         string                      `json:"httpVersion"`
	Protocol            string                      `json:"protocol"`
	Compression         string                      `json:"compression"`
	Host                string                      `json:"host"`
	Port                int                         `json:"port"`
	ServerTLSCert       []byte                      `json:"serverTlsCert"`
	ClientTLSCreds      *struct{ Cert, Key []byte } `json:"clientTlsCreds"`
	MessageReceiveLimit int                         `json:"messageReceiveLimit"`
	Service             string                      `json:"service"`
	Method              string                      `json:"method"`
	StreamType          string                      `json:"streamType"`
	RequestHeaders      []header                    `json:"requestHeaders"`
	RequestMessages     []json.RawMessage           `json:"requestMessages"`
	TimeoutMs           *int                        `json:"timeoutMs"`
	RequestDelayMs      int                         `json:"requestDelayMs"`
	Cancel              struct {
		BeforeCloseSend   *struct{} `json:"beforeCloseSend"`
		AfterCloseSendMs  *int      `json:"afterCloseSendMs"`
		AfterNumResponses int       `json:"afterNumResponses"`
	} `json:"cancel"`
}

// header is a Header. Binary values are base64.
type header struct {
	Name  string   `json:"name"`
	Value []string `json:"value"`
}

// answer is a ClientCompatResponse.
type answer struct {
	TestName string   `json:"testName"`
	Response *result  `json:"response,omitempty"`
	Error    *message `json:"error,omitempty"`
}

type message struct {
	Message string `json:"message"`
}

// result is a ClientResponseResult.
type result struct {
	ResponseHeaders   []header          `json:"responseHeaders"`
	Payloads          []json.RawMessage `json:"payloads"`
	Error             *failure          `json:"error,omitempty"`
	ResponseTrailers  []header          `json:"responseTrailers"`
	NumUnsentRequests int               `json:"numUnsentRequests"`
}

// failure is an Error.
type failure struct {
	Code    int               `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

// fail notes the error of a call.
func (s *suite) fail(r *result, err error) {
	st, _ := status.FromError(err)
	r.Error = &failure{Code: int(st.Code()), Message: st.Message()}
	for _, d := range st.Proto().GetDetails() {
		if text, err := (protojson.MarshalOptions{Resolver: s.types}).Marshal(d); err == nil {
			r.Error.Details = append(r.Error.Details, text)
		}
	}
}

// request returns a request without the name of its type.
func request(packed json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(packed, &fields); err != nil {
		return nil, err
	}
	delete(fields, "@type")
	return json.Marshal(fields)
}

// addPayload adds the payload of a response.
func (r *result) addPayload(response json.RawMessage) error {
	var fields struct {
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(response, &fields); err != nil {
		return err
	}
	if fields.Payload == nil {
		fields.Payload = json.RawMessage("{}")
	}
	r.Payloads = append(r.Payloads, fields.Payload)
	return nil
}

func toMetadata(headers []header) metadata.MD {
	md := metadata.MD{}
	for _, h := range headers {
		name := strings.ToLower(h.Name)
		for _, value := range h.Value {
			if strings.HasSuffix(name, "-bin") {
				if raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "=")); err == nil {
					value = string(raw)
				}
			}
			md.Append(name, value)
		}
	}
	return md
}

func fromMetadata(md metadata.MD) []header {
	headers := make([]header, 0, len(md))
	for name, values := range md {
		h := header{Name: name}
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
			h.Value = append(h.Value, value)
		}
		headers = append(headers, h)
	}
	return headers
}
