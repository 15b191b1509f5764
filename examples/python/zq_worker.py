"""A worker of zq in Python: leases, heartbeats, outbox and reports as protocol.md tells them (sections
5, 11, 12), around a function that does the work. What it returns (text, bytes, or None) is the result;
an exception fails the attempt. Put it beside zq.py.

A thread cannot be frozen from outside as a command can: a handler that changes the outside world looks
at `task.paused` (wait) and `task.stopped` (return) before each step. `zq-worker` does that for commands.
"""
import fcntl
import hashlib
import os
import queue
import socket as sockets
import threading
import time

import msgpack
import zmq

import zq

FINAL = ("STALE_LEASE", "CONFLICT", "NOT_FOUND")  # the errors that end a report, as ACCEPTED does
REFUSED = ("CONTRACT", "INVALID", "TOO_LARGE", "SECRET_FOUND")  # it would be refused again: another report follows


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)  # goes on while the machine sleeps


class Task:
    def __init__(self, assign, renewed):
        task = assign["task"]
        self.id, self.attempt, self.lease = task["task_id"], assign["attempt"], assign["lease"]
        self.spec, self.instructions = task, task.get("instructions", "")
        self.held = {"task_id": self.id, "attempt": self.attempt, "lease": self.lease}
        self.term, self.renewed = assign["lease_ms"] / 1000, renewed
        self.stopped = self.paused = self.lease_lost = False


class Worker:
    """Serves `roles` until `stop` is called. `state`: a folder that is this worker's own."""

    def __init__(self, endpoint, roles, handler, state, name=None, slots=1, curve=None):
        self.endpoint, self.roles, self.handler, self.slots = endpoint, list(roles), handler, slots
        self.curve, self.state = curve, state
        self.name = name or f"{sockets.gethostname()}-{roles[0]}-python"
        os.makedirs(f"{state}/outbox", mode=0o700, exist_ok=True)
        self.lock = open(f"{state}/lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # one process per folder
        self.state_id, self.incarnation = self._begin_incarnation()
        self.running, self.reports = {}, self._load_outbox()  # by lease
        self.done, (self.wake, self.woken) = queue.Queue(), sockets.socketpair()
        self.sent, self.last_id, self.epoch = {}, 0, 0  # request id -> (when, lease)
        self.seen, self.artifacts, self.stopping = None, None, False
        self.lease_s, self.beat_s = 60.0, 10.0

    def run(self):
        self._connect()
        while not (self.stopping and not self.running and not self.reports):
            poller = zmq.Poller()
            poller.register(self.socket, zmq.POLLIN)
            poller.register(self.woken, zmq.POLLIN)
            events = dict(poller.poll(max(0, min(self.next_beat, self.next_hello) - now()) * 1000))
            if self.woken.fileno() in events:
                self.woken.recv(4096)
            while self.socket.poll(0):
                self._receive(*zq.decode(self.socket.recv_multipart())[:2])
            self._take_done()
            self._keep_time()
        self._send("GOODBYE")

    def stop(self):
        """Takes no more; `run` returns when what runs is done and acknowledged. From any thread."""
        self.stopping = True
        self.wake.send(b"!")

    def _connect(self):
        if getattr(self, "socket", None):
            self.socket.close()
        self.socket = zq.open_socket(zmq.DEALER, self.endpoint, self.curve, immediate=True)
        self.socket.poll(1_000, zmq.POLLOUT)
        self._hello()

    def _hello(self):
        self.next_hello = now() + max(1.0, self.lease_s / 4)
        self.next_beat = now() + self.beat_s
        self._send("HELLO", worker=self.name, state_id=self.state_id, incarnation=self.incarnation,
                   roles=self.roles, slots=self.slots, **self._lists())

    def _lists(self):
        reports = [{k: r[1][k] for k in ("task_id", "attempt", "lease")} for r in self.reports.values()]
        held = [t.held for t in self.running.values() if t.lease not in self.reports]
        return {"leases": held, "reports": reports} | ({"seen": self.seen} if self.seen else {})

    def _beat(self):
        self.next_beat = now() + self.beat_s
        free = 0 if self.stopping else self.slots - len(self.running)
        self._send("HEARTBEAT", free=free, **self._lists())

    def _send(self, kind, **fields):
        self.last_id += 1
        self.sent[self.last_id] = (now(), fields.get("lease"))
        self.sent.pop(self.last_id - 1_000, None)
        try:
            self.socket.send_multipart([b"", *zq.encode(kind, {"id": self.last_id, **fields})], zmq.DONTWAIT)
        except zmq.Again:
            self.next_hello = min(self.next_hello, now() + 1)  # nobody there: said again soon

    def _receive(self, kind, fields):
        if fields.get("epoch", 0) < self.epoch:
            return  # of a coordinator that is no more
        self.epoch = fields.get("epoch", 0)
        self.next_hello = now() + self.lease_s / 4
        if port := fields.get("artifacts_port"):
            self.artifacts = f"{self.endpoint.rsplit(':', 1)[0]}:{port}"
        at, lease = self.sent.pop(fields.get("id", 0), (now(), None))
        if kind == "WELCOME":
            self.lease_s, self.beat_s = fields["lease_ms"] / 1000, fields["heartbeat_ms"] / 1000
            self._report()
        if kind in ("WELCOME", "BEAT"):
            for row in fields.get("leases", []):
                self._judge(row, at)
        self.stopping = self.stopping or fields.get("drain", False)  # `zq worker drain`
        if kind == "WELCOME":
            self._beat()
        elif kind == "ASSIGN":
            self._start(fields)
        elif kind == "ACCEPTED" or (kind == "ERROR" and lease and fields["code"] in FINAL):
            self._settle(lease)
        elif kind == "ERROR" and lease in self.reports and fields["code"] in REFUSED:
            self._refused(self.reports[lease][1], fields)
        elif kind == "ERROR" and fields["code"] == "HELLO_FIRST":
            self._hello()
        elif kind == "ERROR" and fields["code"] in ("SUPERSEDED", "NAME_IN_USE", "DENIED"):
            raise zq.Refused(fields)

    def _judge(self, row, at):
        if not (task := self.running.get(row["lease"])):
            return
        if row["verdict"] == "ok":
            task.renewed, task.paused = at, False  # the clock runs from when it was sent
        else:
            task.stopped = True
            if row["verdict"] == "stale":
                task.lease_lost = True

    def _start(self, assign):
        renewed = self.sent.get(assign["answers"], (now(),))[0]
        if assign["lease"] in self.running or now() >= renewed + assign["lease_ms"] / 1000:
            return
        task = self.running[assign["lease"]] = Task(assign, renewed)
        self.seen = task.lease
        threading.Thread(target=self._work, args=(task,), daemon=True).start()
        self._beat()

    def _work(self, task):
        begun = now()
        report = dict(task.held)
        try:
            result = self.handler(task)
            kind = "COMPLETE"
            if result is not None:
                report["artifacts"] = [self._artifact(task, result)]
        except Exception as error:  # whatever the handler raises is its answer
            kind, report["reason"] = "FAIL", f"{type(error).__name__}: {error}"[:1000]
        if task.stopped and "artifacts" not in report:
            kind, report = "RELEASE", {**task.held, "cause": "cancelled", "reason": "cancelled"}
        report["duration_ms"] = int((now() - begun) * 1000)
        self.done.put((kind, report))
        self.wake.send(b"!")

    def _artifact(self, task, result):
        data = result if isinstance(result, bytes) else str(result).encode()
        artifact = {"name": "result.md", "digest": hashlib.sha256(data).digest(), "size": len(data)}
        if len(data) <= zq.INLINE_BYTES:
            return {**artifact, "data": data}
        while True:  # the coordinator may be away for a while
            try:
                zq.put(self.artifacts, data, {"task_id": task.id, "lease": task.lease}, self.curve)
                return artifact
            except TimeoutError:
                continue

    def _take_done(self):
        while not self.done.empty():
            kind, report = self.done.get()
            if self.running[report["lease"]].lease_lost:
                self._settle(report["lease"])
                continue
            self._store(kind, report)  # on disk before it is sent
        self._report()

    def _refused(self, report, error):
        held = {key: report[key] for key in ("task_id", "attempt", "lease")}
        failure = "contract" if error["code"] == "CONTRACT" else "permanent"
        self._store("FAIL", {**held, "class": failure, "reason": error["message"]})
        self._report()

    def _report(self):
        for kind, report in self.reports.values():
            self._send(kind, **report)

    def _settle(self, lease):
        self.running.pop(lease, None)
        if self.reports.pop(lease, None):
            os.unlink(f"{self.state}/outbox/{lease}")
        self._beat()

    def _keep_time(self):
        for task in self.running.values():
            task.paused = task.paused or now() > task.renewed + task.term * 0.9
        if now() >= self.next_hello:
            self._connect()  # silence: a new socket, and everything it holds is said again
        elif now() >= self.next_beat:
            self._report()  # what was not answered, or is to be said again
            self._beat()

    def _begin_incarnation(self):
        path = f"{self.state}/worker.msgpack"
        old = msgpack.unpackb(open(path, "rb").read()) if os.path.exists(path) else [os.urandom(16).hex(), 0]
        new = [old[0], old[1] + 1]
        write_durably(path, msgpack.packb(new))
        return new

    def _store(self, kind, report):
        self.reports[report["lease"]] = (kind, report)
        write_durably(f"{self.state}/outbox/{report['lease']}", msgpack.packb([kind, report]))

    def _load_outbox(self):
        folder = f"{self.state}/outbox"
        names = [name for name in sorted(os.listdir(folder)) if not name.endswith(".new")]
        return {name: msgpack.unpackb(open(f"{folder}/{name}", "rb").read()) for name in names}


def write_durably(path, data):
    with open(f"{path}.new", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{path}.new", path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
