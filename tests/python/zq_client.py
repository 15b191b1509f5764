#!/usr/bin/python3
"""A zq client and worker in Python, written from protocol.md alone (Debian's python3-zmq and
python3-msgpack). Small on purpose: it shows how little a client needs, and proves that the page is
complete. Section numbers are protocol.md's."""
import hashlib
import os
import time

import msgpack
import zmq

PROTOCOL = b"zq/1"
CHUNK_BYTES = 256 * 1024
INLINE_BYTES = 16 * 1024
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class ZqError(Exception):
    """An ERROR message (section 14)."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('code')} {fields.get('field', '')}: {fields.get('message')}")
        self.code = fields.get("code")
        self.field = fields.get("field", "")
        self.id = fields.get("id", 0)
        self.missing = fields.get("missing", [])
        self.fields = fields


class NoAnswer(Exception):
    pass


def pack(fields):
    """One MessagePack map (section 3). No floats: they are refused here already."""
    def check(value):
        if isinstance(value, float):
            raise TypeError("the protocol has no floats")
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            check(inner)
    check(fields)
    return msgpack.packb(fields, use_bin_type=True)


def unpack(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=False)


def message(kind, fields, body=None):
    return [PROTOCOL, kind.encode(), pack(fields)] + ([] if body is None else [body])


def parse(frames):
    """(type, fields, body) of the frames after the return envelope."""
    if frames[0] != PROTOCOL:
        raise ValueError(f"another protocol: {frames[0]!r}")
    return frames[1].decode(), unpack(frames[2]), frames[3] if len(frames) > 3 else None


def make_task_id():
    """48 bits of milliseconds, 80 of chance, 26 Crockford characters (section 3)."""
    number = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "t-" + "".join(CROCKFORD[number >> 5 * i & 31] for i in reversed(range(26)))


def sha256(data):
    return hashlib.sha256(data).digest()


class Peer:
    """What clients, workers and transfers share: a context, request ids, the dialled endpoint."""

    def __init__(self, endpoint, kind, curve=None):
        self.endpoint = endpoint
        self.curve = curve  # (server's public key, own public key, own secret key), Z85 (section 2)
        self.context = zmq.Context()
        self.kind = kind
        self.next_id = 0
        self.client = os.urandom(8).hex()
        self.socket = None
        self.connect()

    def connect(self):
        if self.socket is not None:
            self.socket.close(linger=0)
        self.socket = self.context.socket(self.kind)
        self.socket.linger = 0
        if self.curve:
            self.socket.curve_serverkey, self.socket.curve_publickey, self.socket.curve_secretkey = self.curve
        if self.kind == zmq.REQ:
            self.socket.setsockopt(zmq.REQ_RELAXED, 1)
            self.socket.setsockopt(zmq.REQ_CORRELATE, 1)
        self.socket.connect(self.endpoint)

    def take_id(self):
        self.next_id += 1
        return self.next_id

    def receive(self, timeout):
        """The next message, or None."""
        if not self.socket.poll(max(0, int(timeout * 1000))):
            return None
        frames = self.socket.recv_multipart()
        while frames and not frames[0].startswith(b"zq/"):
            frames.pop(0)
        return parse(frames)

    def close(self):
        self.socket.close(linger=0)
        self.context.term()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client(Peer):
    """One request, one answer, over REQ (sections 4, 6, 7, 12)."""

    def __init__(self, endpoint, curve=None):
        super().__init__(endpoint, zmq.REQ, curve)
        self.artifacts = None

    def call(self, kind, patience=10.0, give_up=30.0, **fields):
        """Sends until it is answered, under one request id; gives (type, fields)."""
        return self.send_as(self.take_id(), kind, patience, give_up, **fields)

    def send_as(self, request, kind, patience=10.0, give_up=30.0, **fields):
        frames = message(kind, {"id": request, "client": self.client, **fields})
        patience += fields.get("wait_ms", 0) / 1000
        end = time.monotonic() + give_up + patience
        while time.monotonic() < end:
            self.socket.send_multipart(frames)
            answer = self.receive(patience)
            if answer is None:
                self.connect()
                continue
            kind, fields, _ = answer
            self.learn_artifacts(fields)
            if kind == "ERROR":
                raise ZqError(fields)
            return kind, fields
        raise NoAnswer(self.endpoint)

    def raw(self, frames, patience=5.0):
        """Any frames at all, as they are; the answer's (type, fields), or None."""
        self.socket.send_multipart(frames)
        answer = self.receive(patience)
        return None if answer is None else answer[:2]

    def learn_artifacts(self, fields):
        if fields.get("artifacts_endpoint"):
            self.artifacts = fields["artifacts_endpoint"]
        elif fields.get("artifacts_port"):
            self.artifacts = f"{self.endpoint.rsplit(':', 1)[0]}:{fields['artifacts_port']}"

    def submit(self, to, **task):
        task.setdefault("task_id", make_task_id())
        return self.call("SUBMIT", task={"to": to, **task})[1]

    def task(self, task_id, **more):
        return self.call("GET", task_id=task_id, **more)[1]

    def status(self):
        return self.call("STATUS")[1]

    def wait(self, *tasks, wait_ms=10_000):
        return self.call("WAIT", tasks=list(tasks), wait_ms=wait_ms)[1]


class Worker(Peer):
    """A worker's session over DEALER (sections 4, 5, 11)."""

    def __init__(self, endpoint, name, roles, slots=1, state_id=None, incarnation=1, curve=None):
        super().__init__(endpoint, zmq.DEALER, curve)
        self.name, self.roles, self.slots = name, roles, slots
        self.state_id = state_id or os.urandom(16).hex()
        self.incarnation = incarnation
        self.held = {}  # lease -> HeldLease
        self.seen = None
        self.pushed = []

    def ask(self, kind, patience=10.0, **fields):
        """Sends a request; pushes that come before its answer are kept."""
        request = self.take_id()
        self.socket.send_multipart(message(kind, {"id": request, **fields}))
        end = time.monotonic() + patience
        while True:
            answer = self.receive(end - time.monotonic())
            if answer is None:
                raise NoAnswer(kind)
            answer_kind, answer_fields, _ = answer
            if answer_fields.get("id", 0) == 0:
                self.pushed.append((answer_kind, answer_fields))
            elif answer_fields["id"] == request:
                if answer_kind == "ERROR":
                    raise ZqError(answer_fields)
                return answer_kind, answer_fields

    def hello(self, reports=()):
        fields = {"worker": self.name, "state_id": self.state_id, "incarnation": self.incarnation,
                  "roles": self.roles, "slots": self.slots}
        return self.ask("HELLO", **fields, **self.lists(reports))[1]

    def lists(self, reports=()):
        fields = {"leases": list(self.held.values()), "reports": list(reports)}
        if self.seen:
            fields["seen"] = self.seen
        return fields

    def free(self):
        return self.slots - len(self.held)

    def ready(self):
        seen = {"seen": self.seen} if self.seen else {}
        return self.ask("READY", free=self.free(), **seen)[1]

    def heartbeat(self, reports=()):
        """Verdicts by lease."""
        beat = self.ask("HEARTBEAT", free=self.free(), **self.lists(reports))[1]
        return {row["lease"]: row["verdict"] for row in beat.get("leases", [])}

    def next_push(self, patience=10.0):
        end = time.monotonic() + patience
        while not self.pushed:
            push = self.receive(end - time.monotonic())
            if push is None:
                raise NoAnswer("a push")
            self.pushed.append(push[:2])
        return self.pushed.pop(0)

    def next_assign(self, patience=10.0):
        while True:
            kind, fields = self.next_push(patience)
            if kind != "ASSIGN" or fields["lease"] in self.held:
                continue
            self.seen = fields["lease"]
            self.held[self.seen] = {"task_id": fields["task"]["task_id"], "attempt": fields["attempt"],
                                    "lease": self.seen}
            return fields

    def report(self, kind, assign, **fields):
        answer = self.ask(kind, task_id=assign["task"]["task_id"], attempt=assign["attempt"],
                          lease=assign["lease"], **fields)[1]
        if kind not in ("PROGRESS", "CHECKPOINT"):
            self.held.pop(assign["lease"], None)
        return answer


class Artifacts(Peer):
    """Uploads and reads on the artifacts socket (section 8)."""

    def __init__(self, endpoint, curve=None):
        super().__init__(endpoint, zmq.DEALER, curve)

    def send(self, kind, body=None, **fields):
        self.socket.send_multipart(message(kind, {"id": self.take_id(), "client": self.client, **fields}, body))

    def answer(self, patience=10.0):
        answer = self.receive(patience)
        if answer is None:
            raise NoAnswer("artifacts")
        if answer[0] == "ERROR":
            raise ZqError(answer[1])
        return answer

    def put(self, data, stop_after=None, **place):
        """Stores bytes; `place` is task_id and lease of an output. `stop_after` chunks breaks it off."""
        digest, size = sha256(data), len(data)
        self.send("PUT", digest=digest, size=size, **place)
        kind, fields, _ = self.answer()
        resumed_from = fields.get("offset", size)
        sent = unanswered = 0
        at = resumed_from
        while kind != "STORED":
            while unanswered < fields["chunks"] and (at < size or size == 0):
                if sent == stop_after:
                    for _ in range(unanswered):  # what is on its way may come after another's PUT
                        self.answer()
                    return None
                body = data[at:at + CHUNK_BYTES]
                self.send("CHUNK", body, digest=digest, offset=at, size=size)
                at, sent, unanswered = at + len(body), sent + 1, unanswered + 1
                if size == 0:
                    break
            kind, fields, _ = self.answer()
            unanswered -= 1
            if kind == "PULL" and unanswered == 0:
                at = fields["offset"]
        return resumed_from

    def fetch(self, task_id, attempt, name, length=CHUNK_BYTES, **place):
        """The whole content, its digest checked. `place`: the number of a checkpoint."""
        data, size, digest = b"", None, None
        while size is None or len(data) < size:
            self.send("FETCH", task_id=task_id, attempt=attempt, name=name, offset=len(data), length=length,
                      **place)
            _, fields, body = self.answer()
            data += body
            size, digest = fields["size"], fields["digest"]
        if sha256(data) != digest:
            raise ValueError("the content does not have its digest")
        return data
