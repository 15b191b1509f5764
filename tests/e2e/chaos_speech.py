"""How a client of a chaos run speaks to the coordinator: by the protocol (tests/python/zq_client.py) or by
running `zq`. Both give the same answers, and enter what they read into the history.

A write gives None where nothing was answered or a later try may succeed: the caller repeats it. An answer
that no working coordinator gives is a surprise.
"""

import abc
import hashlib
import json
import os
import random
import subprocess
import sys

import zmq

from chaos_history import History
from chaos_world import World

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))
import zq_client  # noqa: E402

PATIENCE_S = 3.0
LATER = ("BUSY", "SHUTTING_DOWN", "QUEUE_FULL", "MISSING_CONTENT")
POLL_MS = 1500


class Speech(abc.ABC):
    def __init__(self, world: World, name: str, history: History, chance: random.Random):
        self.world, self.name, self.history, self.chance = world, name, history, chance
        self.endpoint = world.endpoint(name)
        self.last_seq = 0
        self.last_refusal = ""  # for people

    @abc.abstractmethod
    def submit(self, task: str, spec: dict, context: bytes) -> int | None:
        """The sequence number of the acknowledgement (0: not told)."""

    @abc.abstractmethod
    def cancel(self, task: str) -> str | None:
        """The acknowledged state; empty if the task had ended otherwise."""

    @abc.abstractmethod
    def wait(self, task: str) -> None: ...

    @abc.abstractmethod
    def read(self, task: str) -> None: ...

    @abc.abstractmethod
    def follow(self) -> None: ...

    @abc.abstractmethod
    def result(self, task: str) -> None: ...

    def close(self) -> None:
        pass


class Protocol(Speech):
    """An own client of the protocol; now and then it loses its identity, as a killed program does."""

    def __init__(self, *args):
        super().__init__(*args)
        self.client = zq_client.Client(self.endpoint)

    def close(self) -> None:
        self.client.close()

    def call(self, kind: str, **fields) -> dict | None:
        """The answer's fields; None without one, or where it says `later`."""
        try:
            return self.client.call(kind, patience=PATIENCE_S, give_up=0, **fields)[1]
        except zq_client.NoAnswer:
            self.last_refusal = f"no answer to {kind}"
            self.client.close()
            self.client = zq_client.Client(self.endpoint)
            return None
        except zq_client.ZqError as error:
            self.last_refusal = str(error)
            if error.code in LATER:
                return None
            raise

    def submit(self, task, spec, context):
        if context:
            digest = zq_client.sha256(context)
            if not self.put(context):
                return None
            spec = {**spec, "inputs": [{"name": "context", "digest": digest, "size": len(context)}]}
        answer = self.call("SUBMIT", task={"task_id": task, **spec})
        if answer is None:
            return None
        if answer["task_id"] != task:
            self.history.surprise(f"the submit of {task} was acknowledged as {answer['task_id']}")
        return 0 if answer.get("duplicate") else answer.get("seq", 0)

    def put(self, content: bytes) -> bool:
        if self.client.artifacts is None and self.call("PING") is None:
            return False
        try:
            with zq_client.Artifacts(self.client.artifacts) as artifacts:
                artifacts.put(content, stop_after=1 if self.chance.random() < 0.1 else None)
            return True
        except (zq_client.NoAnswer, zmq.ZMQError) as error:
            self.last_refusal = f"PUT: {error}"
            return False
        except zq_client.ZqError as error:
            self.last_refusal = f"PUT: {error}"
            # An upload that the coordinator's end interrupted is not known any more: PUT anew.
            if error.code not in (*LATER, "NOT_FOUND"):
                raise
            return False

    def cancel(self, task):
        try:
            answer = self.call("CANCEL", task_id=task, reason="chaos")
        except zq_client.ZqError as error:
            if error.code != "CONFLICT":
                raise
            return ""
        return None if answer is None else answer["state"]

    def note(self, rows: list[dict]) -> None:
        for row in rows:
            self.history.note_row(row["task_id"], row["state"], row.get("attempts", 0))

    def wait(self, task):
        answer = self.call("WAIT", tasks=[task], wait_ms=POLL_MS)
        self.note(answer["rows"] if answer else [])

    def read(self, task):
        answer = self.call("GET", task_id=task)
        self.note([answer["row"]] if answer else [])

    def follow(self):
        answer = self.call("EVENTS", after=self.last_seq, limit=1000, wait_ms=POLL_MS)
        for row in answer["rows"] if answer else []:
            self.history.note_event(row["seq"], row["hash"])
            self.last_seq = row["seq"]

    def result(self, task):
        answer = self.call("GET", task_id=task)
        if not answer or answer["row"]["state"] != "completed" or self.client.artifacts is None:
            return
        attempt = answer["attempts"][-1]
        name = next(each["name"] for each in attempt["artifacts"] if each["name"].startswith("result"))
        try:
            with zq_client.Artifacts(self.client.artifacts) as artifacts:
                self.history.note_result(task, zq_client.sha256(artifacts.fetch(task, attempt["attempt"], name)).hex())
        except zq_client.NoAnswer:
            return


class Command(Speech):
    """A `zq` process for each request; the faults kill some of them."""

    RETRIED = (6, 7, -9)  # unreachable, refused for now, killed

    def zq(self, *argv: str) -> tuple[int, bytes]:
        process = subprocess.Popen(
            [self.world.bin("zq"), *argv, "--connect", self.endpoint], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.world.env(), cwd=self.world.folder)
        with self.world.lock:
            self.world.zq_processes.add(process)
        try:
            out, err = process.communicate(timeout=330)  # its own bound is five minutes
        finally:
            with self.world.lock:
                self.world.zq_processes.discard(process)
        self.last_refusal = f"zq {argv[0]}: exit {process.returncode}: {err.decode()[-200:]}"
        if process.returncode in (1, 2, 3, 4, 20):
            self.history.surprise(f"zq {' '.join(argv)}: exit {process.returncode}: {err.decode()[-300:]}")
        return process.returncode, out

    def submit(self, task, spec, context):
        backoff = spec["backoff"]
        argv = ["submit", "-q", "--id", task, "--to", spec["to"], "--type", spec["type"], "--instructions",
                spec["instructions"], "--priority", str(spec["priority"]), "--group", spec["group"], "--from",
                spec["from"], "--backoff", f"{backoff['kind']}:{backoff['min_ms']}ms"]
        for flag, key in (("--ttl", "ttl_ms"), ("--delay", "delay_ms")):
            argv += [flag, f"{spec[key]}ms"] if key in spec else []
        if context:
            path = os.path.join(self.world.folder, f"context-{task}")
            with open(path, "wb") as file:
                file.write(context)
            argv += ["--file", path]
        code, out = self.zq(*argv)
        if code == 0 and out.decode().strip() == task:
            return 0
        if code not in self.RETRIED:
            self.history.surprise(f"the submit of {task}: exit {code}, {out[-200:]}")
        return None

    def cancel(self, task):
        code, out = self.zq("cancel", task, "--reason", "chaos", "-o", "jsonl")
        if code in self.RETRIED:
            return None
        return json.loads(out.splitlines()[0])["state"] if code == 0 else ""

    def note(self, out: bytes) -> None:
        for line in out.splitlines():
            row = json.loads(line)
            self.history.note_row(row["id"], row["state"], int(row.get("attempts", 0)))

    def wait(self, task):
        code, out = self.zq("wait", task, "--timeout", f"{POLL_MS}ms", "-o", "jsonl")
        if code not in self.RETRIED:
            self.note(out)

    def read(self, task):
        code, out = self.zq("ls", "--group", "chaos", "--limit", "30", "-o", "jsonl")
        if code == 0:
            self.note(out)

    def follow(self):
        code, out = self.zq("events", "--since", str(self.last_seq), "-o", "jsonl")
        for line in out.splitlines() if code == 0 else []:
            row = json.loads(line)
            self.history.note_event(row["seq"], bytes.fromhex(row["hash"]))
            self.last_seq = row["seq"]

    def result(self, task):
        code, out = self.zq("result", task, "--raw")
        if code == 0 and out.startswith(task.encode()):  # not the summary of a skipped one
            self.history.note_result(task, hashlib.sha256(out).hexdigest())
