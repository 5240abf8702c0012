"""What the clients have in common: where the server is, and the stubs.

Usage of each client: python3 CLIENT.py HOST:PORT STUBS [ARGUMENT...]
STUBS is the folder that `python3 -m grpc_tools.protoc` has written to.
"""

import sys

import grpc

ADDRESS = sys.argv[1]
ARGUMENTS = sys.argv[3:]
sys.path.insert(0, sys.argv[2])


def channel():
    return grpc.insecure_channel(ADDRESS)


def expect(got, want):
    if got != want:
        sys.exit(f"{sys.argv[0]}: got {got!r}, want {want!r}")


def expect_error(code, call, *args, **kwargs):
    """Makes a call that must fail with this code and returns its message."""
    try:
        got = call(*args, **kwargs)
    except grpc.RpcError as error:
        expect(error.code(), code)
        return error.details()
    sys.exit(f"{sys.argv[0]}: got {got!r}, want {code}")
