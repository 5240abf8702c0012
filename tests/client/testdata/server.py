"""A server of gRPC's C core, as Python has it.

Usage: python3 server.py STUBS DESCRIPTORS

STUBS is the folder that `python3 -m grpc_tools.protoc` has written to.
DESCRIPTORS is a FileDescriptorSet with the files of v1alpha reflection and of
google.rpc.Status.

Reflection is served as the package grpcio-reflection does, which is not in
Debian: in v1alpha only, from the pool of descriptors, with one file in each
answer.
"""

import sys
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

sys.path.insert(0, sys.argv[1])

from parcel import place_pb2, post_pb2, post_pb2_grpc, refusal_pb2  # noqa: E402

POOL = descriptor_pool.Default()
V1ALPHA = "grpc.reflection.v1alpha."
NAMES = ["parcel.Post", V1ALPHA + "ServerReflection"]

with open(sys.argv[2], "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        POOL.AddSerializedFile(proto.SerializeToString())


def message_class(name):
    return message_factory.MessageFactory(POOL).GetPrototype(POOL.FindMessageTypeByName(name))


ReflectionRequest = message_class(V1ALPHA + "ServerReflectionRequest")
ReflectionResponse = message_class(V1ALPHA + "ServerReflectionResponse")
Status = message_class("google.rpc.Status")


class Failure(grpc.Status):
    """A status with details, as the package grpcio-status makes it."""

    def __init__(self, code, details, *rich_details):
        self.code, self.details = code, details
        rich = Status(code=code.value[0], message=details)
        for detail in rich_details:
            rich.details.add().Pack(detail)
        self.trailing_metadata = (("grpc-status-details-bin", rich.SerializeToString()),)


class Post(post_pb2_grpc.PostServicer):
    def Send(self, request, context):
        sent = dict(context.invocation_metadata())
        context.send_initial_metadata([("x-echo", sent[key]) for key in ["x-echo"] if key in sent])
        context.set_trailing_metadata([(key, sent[key]) for key in ["x-echo-bin"] if key in sent])
        if request.label == "refuse":
            refusal = refusal_pb2.Refusal(why="zu groß", where=place_pb2.Place(town="Åbo"))
            place = place_pb2.Place(town="\x1b[2J\x9b2J")
            context.abort_with_status(Failure(grpc.StatusCode.FAILED_PRECONDITION, "not this one: 100% ☺\r\x1b[2J", refusal, place))
        if request.label == "crash":
            raise ValueError("unforeseen")
        receipt = post_pb2.Receipt(label=request.label, weight=len(request.content), note="." * 10000)
        receipt.sent.FromSeconds(1)
        return receipt

    def Track(self, request, context):
        context.add_callback(lambda: print("Track has ended", flush=True))
        for town in ["Bonn", "Köln"]:
            yield place_pb2.Place(town=town)
        while request.label == "lost" and context.is_active():
            yield place_pb2.Place(town="." * 1000)

    def Load(self, requests, context):
        return post_pb2.Receipt(weight=sum(len(request.content) for request in requests))

    def Talk(self, requests, context):
        for request in requests:
            yield post_pb2.Receipt(label=request.label)


def find(request):
    kind = request.WhichOneof("message_request")
    if kind == "file_by_filename":
        return POOL.FindFileByName(request.file_by_filename)
    if kind == "file_containing_symbol":
        return POOL.FindFileContainingSymbol(request.file_containing_symbol)
    raise KeyError(kind)


def reflect(requests, context):
    for request in requests:
        response = ReflectionResponse(valid_host=request.host, original_request=request)
        if request.WhichOneof("message_request") == "list_services":
            for name in NAMES:
                response.list_services_response.service.add(name=name)
        else:
            try:
                response.file_descriptor_response.file_descriptor_proto.append(find(request).serialized_pb)
            except KeyError:
                response.error_response.error_code = grpc.StatusCode.NOT_FOUND.value[0]
                response.error_response.error_message = grpc.StatusCode.NOT_FOUND.value[1]
        yield response


def serve(compression):
    server = grpc.server(futures.ThreadPoolExecutor(), compression=compression)
    post_pb2_grpc.add_PostServicer_to_server(Post(), server)
    handler = grpc.stream_stream_rpc_method_handler(reflect, ReflectionRequest.FromString, ReflectionResponse.SerializeToString)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(NAMES[1], {"ServerReflectionInfo": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"{compression.name} on port {port}", flush=True)
    return server


SERVERS = [serve(compression) for compression in [grpc.Compression.Deflate, grpc.Compression.Gzip]]
for server in SERVERS:
    server.wait_for_termination()
