package dynclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dyngate/dyngate/dynclient"
)

// The examples need a server: `dyngate serve`.

func Example() {
	ctx := context.Background()
	c, err := dynclient.Dial(ctx, "127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	type HelloRequest struct{ Name string }
	type HelloReply struct{ Message string }
	sayHello, err := dynclient.Unary[HelloRequest, HelloReply](c, "tutorial.Greeter/SayHello")
	if err != nil {
		log.Panic(err) // unknown method, or the types do not fit
	}
	reply, err := sayHello(ctx, &HelloRequest{Name: "Ada"}, dynclient.Timeout(time.Second))
	var failed *dynclient.Error
	if errors.As(err, &failed) {
		log.Panic(failed.Code(), failed.Message(), failed.Details(ctx))
	}
	fmt.Println(reply.Message)
}

func ExampleServerStream() {
	ctx := context.Background()
	c, err := dynclient.Dial(ctx, "127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	type Point struct{ Latitude, Longitude int32 }
	type Rectangle struct{ Lo, Hi Point }
	type Feature struct{ Name string }
	listFeature, err := dynclient.ServerStream[Rectangle, Feature](c, "RouteGuide/ListFeature")
	if err != nil {
		log.Panic(err)
	}
	area := Rectangle{Lo: Point{400000000, -750000000}, Hi: Point{420000000, -730000000}}
	for feature, err := range listFeature(ctx, &area) {
		if err != nil {
			log.Panic(err)
		}
		fmt.Println(feature.Name)
	}
}

func ExampleClient_Invoke() {
	ctx := context.Background()
	c, err := dynclient.Dial(ctx, "127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	var reply map[string]any
	err = c.Invoke(ctx, "tutorial.Greeter/SayHello", map[string]any{"name": "Ada"}, &reply)
	if err != nil {
		log.Panic(err)
	}
	fmt.Println(reply["message"])
}
