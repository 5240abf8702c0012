import grpc
from client import channel, expect, expect_error

import message_pb2
import message_pb2_grpc


def without_name(conn):
    """The generated stub refuses to send this, so do without it."""
    return conn.unary_unary(
        "/tutorial.Greeter/SayHello",
        request_serializer=lambda request: request.SerializePartialToString(),
        response_deserializer=message_pb2.HelloReply.FromString,
    )(message_pb2.HelloRequest())


def run():
    with channel() as conn:
        stub = message_pb2_grpc.GreeterStub(conn)
        response = stub.SayHello(message_pb2.HelloRequest(name="goodspeed"))
        print("Greeter client received: " + response.message)
        expect(response.message, "Hello, goodspeed!")
        expect(stub.SayHello(message_pb2.HelloRequest(name="")).message, "Hello, !")
        details = expect_error(grpc.StatusCode.INVALID_ARGUMENT, without_name, conn)
        expect("name" in details, True)


if __name__ == "__main__":
    run()
