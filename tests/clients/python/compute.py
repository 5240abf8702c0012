from client import channel, expect

import compute_pb2
import compute_pb2_grpc


def run():
    conn = channel()
    client = compute_pb2_grpc.ComputeStub(channel=conn)
    response = client.SayHello(compute_pb2.HelloRequest(helloworld="123456"))
    print("received: " + response.result)
    expect(response.result, "6")
    expect(client.SayHello(compute_pb2.HelloRequest(helloworld="你好")).result, "2")
    expect(client.SayHello(compute_pb2.HelloRequest()).result, "0")


if __name__ == "__main__":
    run()
