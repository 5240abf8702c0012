from client import channel, expect

import helloworld_pb2
import helloworld_pb2_grpc


def run():
    conn = channel()
    stub = helloworld_pb2_grpc.GreeterStub(conn)
    response = stub.SayHello(helloworld_pb2.HelloRequest(name="czl"))
    print("Greeter client received: " + response.message)
    expect(response.message, "hello czl")
    response = stub.SayHelloAgain(helloworld_pb2.HelloRequest(name="daydaygo"))
    print("Greeter client received: " + response.message)
    expect(response.message, "hello daydaygo")
    future = stub.SayHello.future(helloworld_pb2.HelloRequest(name="later"))
    expect(future.result(timeout=10).message, "hello later")


if __name__ == "__main__":
    run()
