package httpconn

import (
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/status"
)

// The limits of messages are those of grpc-go.
const (
	defaultMaxRecv = 4 << 20
	defaultMaxSend = math.MaxInt32
)

// callOptions are grpc's options of one call.
type callOptions struct {
	codec       encoding.CodecV2
	gzip        bool
	maxRecv     int
	maxSend     int
	authority   string
	credentials []credentials.PerRPCCredentials
	onFinish    []func(error)
	results     []grpc.CallOption // those that return something: Header, Trailer, Peer
}

// readOptions reads options. One that changes what is sent, and that has no meaning
// here, is an error; others, such as WaitForReady, have no effect.
func readOptions(opts []grpc.CallOption) (callOptions, error) {
	o := callOptions{codec: encoding.GetCodecV2(proto.Name), maxRecv: defaultMaxRecv, maxSend: defaultMaxSend}
	for _, opt := range opts {
		switch opt := opt.(type) {
		case grpc.HeaderCallOption, grpc.TrailerCallOption, grpc.PeerCallOption:
			o.results = append(o.results, opt)
		case grpc.OnFinishCallOption:
			o.onFinish = append(o.onFinish, opt.OnFinish)
		case grpc.MaxRecvMsgSizeCallOption:
			o.maxRecv = opt.MaxRecvMsgSize
		case grpc.MaxSendMsgSizeCallOption:
			o.maxSend = opt.MaxSendMsgSize
		case grpc.AuthorityOverrideCallOption:
			o.authority = opt.Authority
		case grpc.PerRPCCredsCallOption:
			o.credentials = append(o.credentials, opt.Creds)
		case grpc.ForceCodecV2CallOption:
			o.codec = opt.CodecV2
		case grpc.CompressorCallOption:
			switch opt.CompressorType {
			case "gzip":
				o.gzip = true
			case "", encoding.Identity:
				o.gzip = false
			default:
				return o, status.Errorf(codes.Internal, "compression %q is not available over HTTP: gzip is", opt.CompressorType)
			}
		case grpc.ForceCodecCallOption, grpc.CustomCodecCallOption, grpc.ContentSubtypeCallOption:
			return o, status.Errorf(codes.Internal, "%T is not available over HTTP", opt)
		}
	}
	return o, nil
}
