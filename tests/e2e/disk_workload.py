"""A short standard workload against one coordinator, every answer of which is a fact to be found
again after a restart. Drives the protocol itself (zq_client), so that a run takes milliseconds.

Owns what was promised and how each promise is checked; knows nothing of faults and processes but
that the coordinator may end at any moment.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "python"))
import zmq
import zq_client
from zq_client import NoAnswer, ZqError, message, sha256

PATIENCE_S = 10.0
INLINE = b"inline result " * 100
LARGE = bytes(range(256)) * 1200  # 300 KiB: two chunks


class Ended(Exception):
    """The coordinator has ended, and nothing more comes from it."""


class Lost(Exception):
    """A promise that was not kept."""


def watched(kind):
    """A peer of this kind that looks for the coordinator's end while it waits for an answer."""
    class Watched(kind):
        def __init__(self, process, *arguments, **more):
            self.process = process
            super().__init__(*arguments, **more)

        def receive(self, timeout):
            end = time.monotonic() + timeout
            while True:
                left = end - time.monotonic()
                answer = super().receive(min(0.02, left))
                if answer is not None or left <= 0:
                    return answer
                if self.process.poll() is not None:
                    answer = super().receive(0.05)  # what it said last
                    if answer is None:
                        raise Ended
                    return answer
    return Watched


Client = watched(zq_client.Client)
Worker = watched(zq_client.Worker)
Artifacts = watched(zq_client.Artifacts)


class Promises:
    """What the coordinator has acknowledged, and what it has not answered."""

    def __init__(self):
        self.tasks = {}       # id -> instructions, of acknowledged submits
        self.leases = {}      # id -> (attempt, lease), of claims that have not been reported on
        self.ended = {}       # id -> (attempt, outcome, {artifact: content})
        self.contents = []    # acknowledged PUTs
        self.cancelled = []
        self.unanswered = []  # (client, request, kind, fields): to be repeated as they are
        self.answered_at = []  # (sent, kind) of each acknowledged write, by time.monotonic_ns

    def check(self, client, artifacts) -> int:
        """Asks for each promise; gives their number. Raises Lost."""
        count = 0
        for check in (self._check_tasks, self._check_leases, self._check_ended, self._check_contents):
            count += check(client, artifacts)
        return count

    def _check_tasks(self, client, _):
        for task, instructions in self.tasks.items():
            if _task(client, task)["spec"].get("instructions") != instructions:
                raise Lost(f"{task} has other instructions than were submitted")
        for task in self.cancelled:
            if _task(client, task)["row"]["state"] != "cancelled":
                raise Lost(f"{task} was cancelled and is {_task(client, task)['row']['state']}")
        return len(self.tasks) + len(self.cancelled)

    def _check_leases(self, client, _):
        """A claim still holds: its task can be completed under it."""
        for task, (attempt, lease) in self.leases.items():
            try:
                client.call("COMPLETE", task_id=task, attempt=attempt, lease=lease)
            except ZqError as refusal:
                raise Lost(f"the lease of {task} attempt {attempt} is gone: {refusal}") from refusal
        return len(self.leases)

    def _check_ended(self, client, artifacts):
        for task, (attempt, outcome, contents) in self.ended.items():
            found = {row["attempt"]: row["outcome"] for row in _task(client, task).get("attempts", [])}
            if found.get(attempt) != outcome:
                raise Lost(f"attempt {attempt} of {task} was {outcome} and is {found.get(attempt)}")
            for name, content in contents.items():
                if artifacts.fetch(task, attempt, name) != content:
                    raise Lost(f"{name} of {task} has other bytes")
        return len(self.ended)

    def _check_contents(self, _, artifacts):
        for content in self.contents:
            if artifacts.put(content) != len(content):
                raise Lost(f"content of {len(content)} bytes was stored and is not")
        return len(self.contents)

    def repeat_unanswered(self, client):
        """What was not answered can be asked again; an answer it must get."""
        for name, request, kind, fields in self.unanswered:
            client.client = name
            try:
                client.send_as(request, kind, **fields)
            except ZqError as refusal:
                if refusal.code not in ("NOTHING_TO_CLAIM", "CONFLICT", "NOT_FOUND", "MISSING_CONTENT"):
                    raise Lost(f"a repeated {kind} was refused: {refusal}") from refusal


def _task(client, task):
    try:
        return client.task(task)
    except ZqError as refusal:
        raise Lost(f"{task} was acknowledged and is not there: {refusal}") from refusal


class Workload:
    """The conversation. Refusals and silence are noted and passed over; Ended leaves it."""

    def __init__(self, process, endpoint, artifacts_endpoint, promises, patience_s=PATIENCE_S):
        self.process, self.endpoint, self.promises = process, endpoint, promises
        self.patience_s = patience_s
        self.client = Client(process, endpoint)
        self.artifacts = Artifacts(process, artifacts_endpoint)
        self.silent = False  # a request got no answer although the coordinator lives

    def close(self):
        self.client.close()
        self.artifacts.close()

    def write(self, kind, **fields):
        """One acknowledged write, or None."""
        if self.silent:
            return None
        sent, request = time.monotonic_ns(), self.client.take_id()
        try:
            answer = self.client.send_as(request, kind, self.patience_s, 0, **fields)[1]
        except ZqError:
            return None
        except (NoAnswer, Ended) as nothing:
            self.promises.unanswered.append((self.client.client, request, kind, fields))
            self.silent = True
            if isinstance(nothing, Ended):
                raise
            return None
        self.promises.answered_at.append((sent, kind))
        return answer

    def submit(self, to, instructions):
        task = zq_client.make_task_id()
        if self.write("SUBMIT", task={"to": to, "task_id": task, "instructions": instructions}):
            self.promises.tasks[task] = instructions
        return task

    def submit_together(self, to, count):
        """Submits without waiting between them, so that several share a commit."""
        with watched(zq_client.Peer)(self.process, self.endpoint, zmq.DEALER) as peer:
            sent = {}
            for _ in range(count):
                request, task = peer.take_id(), zq_client.make_task_id()
                sent[request] = {"to": to, "task_id": task, "instructions": f"together {task}"}
                at = time.monotonic_ns()
                fields = {"id": request, "client": peer.client, "task": sent[request]}
                peer.socket.send_multipart([b"", *message("SUBMIT", fields)])
            try:
                while sent:
                    answer = peer.receive(self.patience_s)
                    if answer is None:
                        self.silent = True
                        return
                    task = sent.pop(answer[1]["id"])
                    if answer[0] == "SUBMITTED":
                        self.promises.tasks[task["task_id"]] = task["instructions"]
                        self.promises.answered_at.append((at, "SUBMIT"))
            finally:
                self.promises.unanswered += [(peer.client, request, "SUBMIT", {"task": task})
                                             for request, task in sent.items()]

    def claim(self, to):
        claimed = self.write("CLAIM", to=to, **{"from": "tester"})
        if claimed is None:
            return None
        task = claimed["task"]["task_id"]
        self.promises.leases[task] = (claimed["attempt"], claimed["lease"])
        return task

    def put(self, content, **place):
        if self.silent:
            return False
        try:
            self.artifacts.put(content, **place)
        except ZqError:
            return False
        except NoAnswer:
            self.silent = True
            return False
        self.promises.contents.append(content)
        return True

    def report(self, kind, outcome, task, contents=None, large=None, **more):
        """Reports on a claimed task; `large` is put first, `contents` travel along."""
        if task is None:
            return
        attempt, lease = self.promises.leases[task]
        listed = [{"name": name, "digest": sha256(data), "size": len(data), "data": data}
                  for name, data in (contents or {}).items()]
        for name, data in (large or {}).items():
            if not self.put(data, task_id=task, lease=lease):
                return
            listed.append({"name": name, "digest": sha256(data), "size": len(data)})
        del self.promises.leases[task]  # once the report is under way nobody knows
        answer = self.write(kind, task_id=task, attempt=attempt, lease=lease, artifacts=listed, **more)
        if answer:
            self.promises.ended[task] = (attempt, outcome, {**(contents or {}), **(large or {})})
        elif not self.silent:
            self.promises.leases[task] = (attempt, lease)  # refused

    def work_as_worker(self, to):
        """A session: two tasks pushed, heartbeats, both completed."""
        if self.silent:
            return
        with Worker(self.process, self.endpoint, "w1", [to], slots=2) as worker:
            try:
                worker.hello()
                worker.ready()
                for number in range(2):
                    assign = worker.next_assign(self.patience_s)
                    worker.heartbeat()
                    contents = {"result": INLINE + str(number).encode()}
                    named = [{"name": name, "digest": sha256(data), "size": len(data), "data": data}
                             for name, data in contents.items()]
                    sent = time.monotonic_ns()
                    worker.report("COMPLETE", assign, summary="done", artifacts=named)
                    self.promises.answered_at.append((sent, "COMPLETE"))
                    self.promises.ended[assign["task"]["task_id"]] = (assign["attempt"], "completed", contents)
            except ZqError:
                pass
            except NoAnswer:
                self.silent = True

    def run(self):
        """The whole of it, on a folder old or new."""
        for number in range(6):
            self.submit("hand", "x" * (200 + 2_500 * number))
        self.submit_together("hand", 12)
        pushed = [self.submit("push", text) for text in ("one", "two")]
        self.report("COMPLETE", "completed", self.claim("hand"), {"result": INLINE})
        self.report("COMPLETE", "completed", self.claim("hand"), {"result.txt": b"ok"}, {"log": LARGE})
        self.report("FAIL", "failed", self.claim("hand"), reason="no luck")
        self.report("RELEASE", "released", self.claim("hand"))
        cancelled = self.submit("hand", "to be cancelled")
        if self.write("CANCEL", task_id=cancelled):
            self.promises.cancelled.append(cancelled)
        if all(task in self.promises.tasks for task in pushed):
            self.work_as_worker("push")
        self.put(b"of nobody yet" * 30_000)
        self.claim("hand")

    def run_shortly(self, rest):
        """A little of it, with a pause in between in which the log is copied back."""
        self.submit("hand", "before the rest")
        self.report("COMPLETE", "completed", self.claim("hand"), {"result": INLINE}, {"log": LARGE + b"again"})
        rest()
        self.submit("hand", "after the rest")
