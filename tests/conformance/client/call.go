package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynclient"
)

// run makes the call of a case.
func (s *suite) run(ctx context.Context, t *testCase) *answer {
	a := &answer{TestName: t.TestName}
	client, err := s.client(ctx, t)
	if err == nil {
		a.Response, err = s.call(ctx, client, t)
	}
	if err != nil {
		a.Response, a.Error = nil, &message{err.Error()}
	}
	return a
}

var protocols = map[string]dynclient.Protocol{
	"PROTOCOL_CONNECT": dynclient.Connect, "PROTOCOL_GRPC": dynclient.GRPC, "PROTOCOL_GRPC_WEB": dynclient.GRPCWeb,
}

// client returns a client of the server of a case.
func (s *suite) client(ctx context.Context, t *testCase) (*dynclient.Client, error) {
	key := fmt.Sprint(t.HTTPVersion, t.Protocol, t.Host, t.Port, string(t.ServerTLSCert), t.ClientTLSCreds != nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[key]; c != nil {
		return c, nil
	}
	config, err := t.tls()
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(t.Host, strconv.Itoa(t.Port))
	var option dynclient.Option
	if s.grpc {
		option = t.grpcOption(config)
	} else if address, option, err = t.httpOption(address, config); err != nil {
		return nil, err
	}
	c, err := dynclient.Dial(ctx, address, dynclient.WithSources(s.sources...), option)
	if err == nil {
		s.clients[key] = c
	}
	return c, err
}

// tls returns the configuration of a server with TLS, and otherwise nil.
func (t *testCase) tls() (*tls.Config, error) {
	if len(t.ServerTLSCert) == 0 {
		return nil, nil //nolint:nilnil // as the comment says
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(t.ServerTLSCert)
	if creds := t.ClientTLSCreds; creds != nil {
		pair, err := tls.X509KeyPair(creds.Cert, creds.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (t *testCase) grpcOption(config *tls.Config) dynclient.Option {
	if config == nil {
		return dynclient.WithGRPC()
	}
	return dynclient.WithGRPC(grpc.WithTransportCredentials(credentials.NewTLS(config)))
}

// httpOption returns the URL of a server, and a transport that speaks only the
// version of HTTP that the case wants.
func (t *testCase) httpOption(address string, config *tls.Config) (string, dynclient.Option, error) {
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true, TLSClientConfig: config}
	switch t.HTTPVersion {
	case "HTTP_VERSION_1":
		transport.Protocols.SetHTTP1(true)
	case "HTTP_VERSION_2":
		transport.Protocols.SetHTTP2(true)
		transport.Protocols.SetUnencryptedHTTP2(true)
	default:
		return "", nil, errors.New("unknown version " + t.HTTPVersion)
	}
	scheme := "http://"
	if config != nil {
		scheme = "https://"
	}
	return scheme + address, dynclient.WithHTTP(dynclient.HTTPOptions{Protocol: protocols[t.Protocol], Transport: transport}), nil
}

// call makes the call. An error is one of this program or of the case: those of the
// call are in the result.
func (s *suite) call(ctx context.Context, client *dynclient.Client, t *testCase) (*result, error) {
	var opts []grpc.CallOption
	if t.Compression == "COMPRESSION_GZIP" {
		opts = append(opts, grpc.UseCompressor("gzip"))
	}
	if t.MessageReceiveLimit > 0 {
		opts = append(opts, grpc.MaxCallRecvMsgSize(t.MessageReceiveLimit))
	}
	if t.TimeoutMs != nil {
		// As a deadline of the context: dynclient.Timeout takes 0 for no limit.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*t.TimeoutMs)*time.Millisecond)
		defer cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opts = append(opts, dynclient.Metadata(toMetadata(t.RequestHeaders)))
	path := t.Service + "/" + t.Method
	if t.StreamType == "STREAM_TYPE_UNARY" {
		return s.unary(ctx, cancel, client, path, t, opts)
	}
	stream, err := client.Stream(ctx, path, opts...)
	if err != nil {
		r := new(result)
		s.fail(r, err)
		return r, nil
	}
	defer stream.Close()
	c := &streaming{suite: s, t: t, stream: stream, cancel: cancel}
	return c.run()
}

func (s *suite) unary(ctx context.Context, cancel func(), client *dynclient.Client, path string, t *testCase, opts []grpc.CallOption) (*result, error) {
	in, err := request(t.RequestMessages[0])
	if err != nil {
		return nil, err
	}
	if ms := t.Cancel.AfterCloseSendMs; ms != nil {
		time.AfterFunc(time.Duration(*ms)*time.Millisecond, cancel)
	}
	var out json.RawMessage
	var head, trailer metadata.MD
	r := new(result)
	if err := client.Invoke(ctx, path, in, &out, append(opts, grpc.Header(&head), grpc.Trailer(&trailer))...); err != nil {
		s.fail(r, err)
	} else if err := r.addPayload(out); err != nil {
		return nil, err
	}
	r.ResponseHeaders, r.ResponseTrailers = fromMetadata(head), fromMetadata(trailer)
	return r, nil
}

// streaming is a streaming call in progress.
type streaming struct {
	suite  *suite
	t      *testCase
	stream *dynclient.Stream
	cancel func()
	result result
	ended  bool
}

func (c *streaming) run() (*result, error) {
	for i, packed := range c.t.RequestMessages {
		in, err := request(packed)
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Duration(c.t.RequestDelayMs) * time.Millisecond)
		if err := c.stream.Send(in); err == io.EOF {
			c.result.NumUnsentRequests = len(c.t.RequestMessages) - i
			break
		} else if err != nil {
			return nil, err
		}
		if c.t.StreamType == "STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM" {
			if err := c.receive(); err != nil {
				return nil, err
			}
			if c.ended {
				break
			}
		}
	}
	cancel := c.t.Cancel
	if cancel.BeforeCloseSend != nil {
		c.cancel()
	}
	c.stream.CloseSend()
	if cancel.AfterCloseSendMs != nil {
		time.AfterFunc(time.Duration(*cancel.AfterCloseSendMs)*time.Millisecond, c.cancel)
	}
	head, _ := c.stream.Header() // receive returns the error
	for !c.ended {
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
	c.result.ResponseHeaders, c.result.ResponseTrailers = fromMetadata(head), fromMetadata(c.stream.Trailer())
	return &c.result, nil
}

// receive receives a response or the end of the call.
func (c *streaming) receive() error {
	var out json.RawMessage
	switch err := c.stream.Recv(&out); {
	case err == io.EOF:
		c.ended = true
	case err != nil:
		c.ended = true
		c.suite.fail(&c.result, err)
	default:
		if err := c.result.addPayload(out); err != nil {
			return err
		}
		if len(c.result.Payloads) == c.t.Cancel.AfterNumResponses {
			c.cancel()
		}
	}
	return nil
}
