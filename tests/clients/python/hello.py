from client import channel, expect

import hello_pb2
import hello_pb2_grpc


def run():
    conn = channel()
    client = hello_pb2_grpc.GrpcServiceStub(channel=conn)
    skill = hello_pb2.Skill(name="engineer")
    request = hello_pb2.HelloRequest(data="xiao gang, ", skill=skill)
    response = client.hello(request)
    print("received:", response.result, response.map_result)
    expect(response.result, "xiao gang, engineer this is gprc test service")
    expect(dict(response.map_result), {"12": 1232})
    expect(client.hello(hello_pb2.HelloRequest(data="nobody")).result, "nobody this is gprc test service")
    conn.close()


if __name__ == "__main__":
    run()
