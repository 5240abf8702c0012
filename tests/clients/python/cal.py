import grpc
from client import channel, expect, expect_error

import SimpleCal_pb2
import SimpleCal_pb2_grpc

OUT_OF_RANGE = grpc.StatusCode.OUT_OF_RANGE
LARGEST, SMALLEST = 2**31 - 1, -(2**31)


def run(a, b):
    with channel() as conn:
        stub = SimpleCal_pb2_grpc.CalStub(channel=conn)

        response = stub.Add(SimpleCal_pb2.AddRequest(number1=a, number2=b))
        print(f"{a} + {b} = {response.number}")
        expect(response.number, a + b)
        response = stub.Multiply(SimpleCal_pb2.MultiplyRequest(number1=a, number2=b))
        print(f"{a} * {b} = {response.number}")
        expect(response.number, a * b)

        expect(stub.Add(SimpleCal_pb2.AddRequest(number1=LARGEST, number2=SMALLEST)).number, -1)
        expect(stub.Multiply(SimpleCal_pb2.MultiplyRequest(number1=SMALLEST, number2=1)).number, SMALLEST)
        expect_error(OUT_OF_RANGE, stub.Add, SimpleCal_pb2.AddRequest(number1=LARGEST, number2=1))
        expect_error(OUT_OF_RANGE, stub.Add, SimpleCal_pb2.AddRequest(number1=SMALLEST, number2=-1))
        expect_error(OUT_OF_RANGE, stub.Multiply, SimpleCal_pb2.MultiplyRequest(number1=SMALLEST, number2=-1))
        expect_error(OUT_OF_RANGE, stub.Multiply, SimpleCal_pb2.MultiplyRequest(number1=65536, number2=65536))


if __name__ == "__main__":
    run(100, -3)
