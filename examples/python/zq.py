"""A client and a worker of zq in Python, over pyzmq (Debian: python3-zmq, python3-msgpack). Copy this
file into your program: protocol.md is the contract, and the section numbers here are its.

    client = zq.Client("tcp://127.0.0.1:5570")
    task = client.submit("greeter", instructions="Ada")
    print(client.result(task).decode())

    zq.Worker("tcp://127.0.0.1:5570", ["greeter"], lambda task: f"Hello, {task.instructions}!").run()
"""
import hashlib
import os
import time

import msgpack
import zmq

PROTOCOL = b"zq/1"
CHUNK_BYTES, INLINE_BYTES = 256 * 1024, 16 * 1024
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Refused(Exception):
    """An ERROR (section 14); `code` says which."""

    def __init__(self, fields):
        super().__init__(f"{fields['code']}: {fields.get('field', '')} {fields['message']}")
        self.code = fields["code"]


def make_task_id():
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "t-" + "".join(CROCKFORD[number >> 5 * i & 31] for i in reversed(range(26)))


def encode(kind, fields, body=None):
    return [PROTOCOL, kind.encode(), msgpack.packb(fields)] + ([] if body is None else [body])


def decode(frames):
    """(type, fields, body) of a message, whatever return envelope stands before it."""
    at = frames.index(PROTOCOL)
    body = frames[at + 3] if len(frames) > at + 3 else None
    return frames[at + 1].decode(), msgpack.unpackb(frames[at + 2]), body


def open_socket(kind, endpoint, curve=None, immediate=False):
    """`curve`: (the coordinator's public key, own public key, own secret key), all Z85. `immediate`:
    what is sent while nobody is there is refused instead of kept."""
    socket = zmq.Context.instance().socket(kind)
    socket.linger = 0
    if curve:
        socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = curve
    socket.immediate = immediate
    if kind == zmq.REQ:
        socket.req_relaxed = socket.req_correlate = 1
    socket.connect(endpoint)
    return socket


class Client:
    """Requests with one answer each. A request is repeated under its id until it is answered, so that
    what was asked happens once (section 12). For one thread."""

    def __init__(self, endpoint, curve=None):
        self.endpoint, self.curve = endpoint, curve
        self.name, self.last_id = os.urandom(8).hex(), 0
        self.artifacts = None
        self.socket = open_socket(zmq.REQ, endpoint, curve)

    def call(self, kind, give_up=300, **fields):
        self.last_id += 1
        request = encode(kind, {"id": self.last_id, "client": self.name, **fields})
        until = time.monotonic() + give_up
        while time.monotonic() < until:
            self.socket.send_multipart(request)
            if not self.socket.poll(30_000 if "wait_ms" not in fields else fields["wait_ms"] + 5_000):
                self.socket.close()
                self.socket = open_socket(zmq.REQ, self.endpoint, self.curve)
                continue
            answer, fields_of, _ = decode(self.socket.recv_multipart())
            if port := fields_of.get("artifacts_port"):
                self.artifacts = f"{self.endpoint.rsplit(':', 1)[0]}:{port}"
            self.artifacts = fields_of.get("artifacts_endpoint") or self.artifacts
            if answer != "ERROR":
                return fields_of
            if fields_of["code"] not in ("BUSY", "QUEUE_FULL", "STORAGE_FULL", "SHUTTING_DOWN"):
                raise Refused(fields_of)
            time.sleep(max(fields_of.get("retry_after_ms", 0), 1_000) / 1000)
        raise TimeoutError(f"{self.endpoint} does not answer")

    def close(self):
        self.socket.close()

    def submit(self, role, **task):
        """Gives the task's id once the task is on the coordinator's disk."""
        task = {"task_id": make_task_id(), "to": role, **task}
        return self.call("SUBMIT", task=task)["task_id"]

    def wait(self, task):
        """Waits until the task has ended, and gives its TaskRow (section 7)."""
        while not (rows := self.call("WAIT", tasks=[task], wait_ms=30_000).get("rows")):
            pass
        return rows[0]

    def result(self, task):
        """Waits, and gives the bytes of the result, verified; None if there is none."""
        row = self.wait(task)
        if row["state"] != "completed":
            raise RuntimeError(f"{task} is {row['state']}: {row.get('reason', '')}")
        for attempt in reversed(self.call("GET", task_id=task)["attempts"]):
            for artifact in attempt.get("artifacts", []) if attempt["outcome"] == "completed" else []:
                if artifact["name"].split(".")[0] == "result":
                    return self.fetch(task, attempt["attempt"], artifact["name"])
        return None

    def fetch(self, task, attempt, name):
        """An artifact whole (section 8); attempt 0 has the task's inputs."""
        socket, data, size = open_socket(zmq.DEALER, self.artifacts, self.curve), b"", None
        while size is None or len(data) < size:
            place = {"task_id": task, "attempt": attempt, "name": name}
            ask = {"id": 1, **place, "offset": len(data), "length": CHUNK_BYTES}
            answer, fields, body = exchange(socket, "FETCH", ask)
            data, size = data + body, fields["size"]
        socket.close()
        if hashlib.sha256(data).digest() != fields["digest"]:
            raise ValueError(f"{name} does not have its digest")
        return data


def exchange(socket, kind, fields, body=None, patience=30):
    socket.send_multipart(encode(kind, fields, body))
    if not socket.poll(patience * 1000):
        raise TimeoutError("the artifacts socket does not answer")
    answer, fields, body = decode(socket.recv_multipart())
    if answer == "ERROR":
        raise Refused(fields)
    return answer, fields, body


def put(endpoint, data, place, curve=None):
    """Stores content (section 8), resuming where an earlier try ended."""
    socket = open_socket(zmq.DEALER, endpoint, curve)
    digest = hashlib.sha256(data).digest()
    content = {"id": 1, "digest": digest, "size": len(data)}
    answer, fields, _ = exchange(socket, "PUT", {**content, **place})
    while answer != "STORED":
        at = fields["offset"]
        answer, fields, _ = exchange(socket, "CHUNK", {**content, "offset": at}, data[at:at + CHUNK_BYTES])
    socket.close()
