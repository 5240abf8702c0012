import json

import grpc
from client import channel, expect, expect_error

import first_msg_pb2
import first_msg_pb2_grpc


def run():
    with channel() as conn:
        stub = first_msg_pb2_grpc.FirstMsgStub(conn)

        def first(body):
            response = stub.firstMsg(first_msg_pb2.FirstMsgRequest(body=body))
            print("received: " + response.content)
            return json.loads(response.content)

        expect(first(json.dumps({"name": "a", "list": [1, 2]})), {"code": 200, "data": "success"})
        expect(first("null"), {"code": 200, "data": "success"})
        expect(first(""), {"code": 500, "data": "failure"})
        expect_error(grpc.StatusCode.INVALID_ARGUMENT, first, "{name: a}")


if __name__ == "__main__":
    run()
