import queue

import grpc
from client import ARGUMENTS, channel, expect

import contact_pb2
import contact_pb2_grpc


def send_status(stub):
    """Sends each message only after the last was answered."""
    messages = queue.Queue()
    results = stub.sendStatus(iter(messages.get, None))
    for text in ("idle", "busy", 'with "quotes"'):
        messages.put(contact_pb2.ClientMsg(msg=text))
        result = next(results)
        print("status:", result.ret)
        expect(text.split('"')[0] in result.ret, True)
    messages.put(None)
    expect(list(results), [])
    expect(results.code(), grpc.StatusCode.OK)


def get_task(stub, wanted):
    """Takes tasks and leaves."""
    tasks = stub.getTask(contact_pb2.Empty())
    got = []
    for task in tasks:
        got.append(task.task)
        if len(got) == wanted:
            break
    tasks.cancel()
    print(f"got {len(got)} tasks, the last is {got[-1]}")
    expect(len(set(got)), wanted)


def get_task_twice(stub):
    """Two clients at once: each is given all tasks."""
    first, second = (stub.getTask(contact_pb2.Empty()) for _ in range(2))
    for _ in range(15):
        expect(next(first), next(second))
    first.cancel()
    second.cancel()


def tell_result(stub):
    results = (contact_pb2.Result(ret=f"result {i}") for i in range(100))
    expect(stub.tellResult(results), contact_pb2.Empty())
    expect(stub.tellResult(iter(())), contact_pb2.Empty())


def run(wanted):
    with channel() as conn:
        stub = contact_pb2_grpc.ContactStub(conn)
        send_status(stub)
        get_task(stub, wanted)
        get_task_twice(stub)
        tell_result(stub)


if __name__ == "__main__":
    run(int(ARGUMENTS[0]))
