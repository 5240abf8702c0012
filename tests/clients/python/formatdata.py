from client import channel, expect

import data_pb2
import data_pb2_grpc


def run():
    with channel() as conn:
        client = data_pb2_grpc.FormatDataStub(channel=conn)
        response = client.DoFormat(data_pb2.Data(text="hello, world!"))
        print("received: " + response.text)
        expect(response.text, "HELLO, WORLD!")
        expect(client.DoFormat(data_pb2.Data(text="ñandú, δέλτα")).text, "ÑANDÚ, ΔΈΛΤΑ")
        expect(client.DoFormat(data_pb2.Data()).text, "")


if __name__ == "__main__":
    run()
