package main

import (
	"context"
	"net/http"

	"connectrpc.com/vanguard"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"github.com/dyngate/dyngate/tests/bench/peers/webgw"
	"github.com/dyngate/dyngate/tests/bench/peers/webpbconnect"
)

// gatewayHandler is grpc-gateway, which calls the service in its own process.
func gatewayHandler(ctx context.Context) (http.Handler, error) {
	mux := runtime.NewServeMux()
	return mux, webgw.RegisterShopHandlerServer(ctx, mux, newShop())
}

// connectHandler is connect-go.
func connectHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(webpbconnect.NewShopHandler(connectShop{newShop()}))
	return mux
}

// vanguardHandler is vanguard before connect-go.
func vanguardHandler() (http.Handler, error) {
	return vanguard.NewTranscoder([]*vanguard.Service{
		vanguard.NewService(webpbconnect.NewShopHandler(connectShop{newShop()})),
	})
}
