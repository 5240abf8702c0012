package clients

import (
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// calls are calls of the nine example services, of all four shapes.
var calls = []struct {
	method, in string
	want       string // standard output without white space
}{
	{"example.FormatData/DoFormat", `{"text": "hello, wörld"}`, `{"text":"HELLO,WÖRLD"}`},
	{"GrpcService/hello", `{"data": "d ", "skill": {"name": "go"}}`, `{"result":"dgothisisgprctestservice","mapResult":{"12":1232}}`},
	{"GrpcService/hello", `{"data": "d"}`, `{"result":"dthisisgprctestservice","mapResult":{"12":1232}}`},
	{"tutorial.Greeter/SayHello", `{"name": "you"}`, `{"message":"Hello,you!"}`},
	{"Greeter/SayHello", `{"name": "you"}`, `{"message":"helloyou"}`},
	{"Greeter/SayHelloAgain", `{"name": "you"}`, `{"message":"helloyou"}`},
	{"compute.Compute/SayHello", `{"helloworld": "grüße"}`, `{"result":"5"}`},
	{"Cal/Add", `{"number1": 40, "number2": 2}`, `{"number":42}`},
	{"Cal/Multiply", `{"number1": -6, "number2": 7}`, `{"number":-42}`},
	{"firstmsg.FirstMsg/firstMsg", `{"body": "{}"}`, `{"content":"{\"code\":200,\"data\":\"success\"}"}`},
	{"firstmsg.FirstMsg/firstMsg", `{}`, `{"content":"{\"code\":500,\"data\":\"failure\"}"}`},
	{"RouteGuide/GetFeature", `{"latitude": 409146138, "longitude": -746188906}`, `{"name":"BerkshireValleyManagementAreaTrail,Jefferson,NJ,USA","location":{"latitude":409146138,"longitude":-746188906}}`},
	{"RouteGuide/GetFeature", `{"latitude": 1, "longitude": 2}`, `{"location":{"latitude":1,"longitude":2}}`},
	{"RouteGuide/ListFeature", `{"lo": {"latitude": 409146138, "longitude": -746188906}, "hi": {"latitude": 409146138, "longitude": -746188906}}`, `{"name":"BerkshireValleyManagementAreaTrail,Jefferson,NJ,USA","location":{"latitude":409146138,"longitude":-746188906}}`},
	{"RouteGuide/RecordRoute", `{"latitude": 409146138, "longitude": -746188906} {"latitude": 409146138, "longitude": -746188906}`, `{"pointCount":2,"featureCount":2}`},
	{"RouteGuide/RouteChat", `{"message": "a"} {"message": "b"} {"message": "c"}`, `{"message":"a"}{"message":"a"}{"message":"b"}`},
	{"Contact/sendStatus", `{"msg": "a"} {"msg": "b"}`, `{"ret":"got\"a\""}{"ret":"got\"b\""}`},
	{"Contact/tellResult", `{"ret": "a"} {"ret": "b"}`, `{}`},
}

func TestGrpcurlCalls(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t)
	path := rig.Tool(t, "GRPCURL", "grpcurl")
	for _, call := range calls {
		t.Run(call.method, func(t *testing.T) {
			t.Parallel()
			g := grpcurl{t: t, path: path, addr: p.Addr()}
			got := g.ok([]string{"-d", call.in}, call.method)
			if got = strings.Join(strings.Fields(got), ""); got != call.want {
				t.Errorf("got  %s\nwant %s", got, call.want)
			}
		})
	}
}

// TestGrpcurlErrors checks the errors that grpcurl prints.
func TestGrpcurlErrors(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t)
	// With -proto grpcurl knows methods that the server does not.
	other := rig.Folder(t, map[string]string{"other.proto": `syntax = "proto3";
package compute;
service Compute { rpc SayHelo(M) returns (M); }
service Computer { rpc SayHello(M) returns (M); }
message M {}`})
	client := []string{"-import-path", other, "-proto", "other.proto"}
	for name, test := range map[string]struct {
		flags  []string
		args   []string
		status int
		want   []string
	}{
		"unknown method":   {client, []string{"compute.Compute/SayHelo"}, 64 + 12, []string{"Code: Unimplemented", `unknown method "SayHelo" of service compute.Compute (did you mean "SayHello"?)`}},
		"unknown service":  {client, []string{"compute.Computer/SayHello"}, 64 + 12, []string{"Code: Unimplemented", `unknown service "compute.Computer" (did you mean "compute.Compute"?)`}},
		"overflow":         {[]string{"-d", `{"number1": 2147483647, "number2": 1}`}, []string{"Cal/Add"}, 64 + 11, []string{"Code: OutOfRange", "2147483648 does not fit into 32 bits"}},
		"overflow product": {[]string{"-d", `{"number1": -2147483648, "number2": -1}`}, []string{"Cal/Multiply"}, 64 + 11, []string{"Code: OutOfRange"}},
		"not JSON":         {[]string{"-d", `{"body": "{"}`}, []string{"firstmsg.FirstMsg/firstMsg"}, 64 + 3, []string{"Code: InvalidArgument", "body is not JSON"}},
		"no such symbol":   {nil, []string{"describe", "no.Such"}, 1, []string{"Symbol not found: no.Such"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGrpcurl(t, p.Addr())
			out, errs, err := g.run(test.flags, test.args...)
			if code := exitStatus(err); code != test.status {
				t.Errorf("exit status %d, want %d: %v", code, test.status, err)
			}
			rig.WantText(t, out+errs, test.want...)
		})
	}
}

// TestGrpcurlMetadata reads metadata and error details as grpcurl prints them.
func TestGrpcurlMetadata(t *testing.T) {
	t.Parallel()
	g := newGrpcurl(t, lab.Start(t).Addr)
	out := g.ok([]string{"-v", "-H", "echo-a: b"}, "lab.Lab/Echo")
	rig.WantText(t, out, "initial-echo-a: b", "trailing-echo-a: b")
	out, errs, err := g.run([]string{"-v", "-H", "echo-a: b", "-d", `{"text": "details"}`}, "lab.Lab/Fail")
	if code := exitStatus(err); code != 64+3 {
		t.Errorf("exit status %d", code)
	}
	rig.WantText(t, out+errs, "initial-echo-a: b", "trailing-echo-a: b", "Message: two things are wrong",
		"google.rpc.BadRequest", `"description": "too short"`, "google.rpc.RetryInfo")
	_, errs, err = g.run([]string{"-d", `{"text": "sleep"}`, "-max-time", "0.2"}, "lab.Lab/Raw")
	if code := exitStatus(err); code != 64+4 {
		t.Errorf("exit status %d", code)
	}
	rig.WantText(t, errs, "DeadlineExceeded")
}
