#!/usr/bin/python3
"""Whole conversations with a real coordinator, spoken by a client that was written from protocol.md."""
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
try:
    import zq_client
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)
import zmq  # noqa: E402
from fixture import LEASE_S, Coordinator  # noqa: E402
from zq_client import Artifacts, Client, Worker, ZqError, make_task_id, message, parse, sha256  # noqa: E402

COORDINATOR = Coordinator()


def setUpModule():
    try:
        COORDINATOR.start()
    except BaseException:
        COORDINATOR.clean_up()
        raise


def tearDownModule():
    code, check = COORDINATOR.stop()
    COORDINATOR.clean_up()
    assert code == 0, f"SIGTERM ended with {code}"
    assert check.returncode == 0, f"--check: {check.stdout}{check.stderr}"


class Case(unittest.TestCase):
    """Each test has a role of its own, so that none takes another's tasks."""

    def setUp(self):
        self.client = Client(COORDINATOR.endpoint)
        self.addCleanup(self.client.close)
        self.role = "role-" + self.id().rsplit(".", 1)[1][-50:].replace("_", "-")

    def worker(self, **more):
        worker = Worker(COORDINATOR.endpoint, more.pop("name", self.role), [self.role], **more)
        self.addCleanup(worker.close)
        return worker

    def artifacts(self):
        self.client.call("PING")
        artifacts = Artifacts(self.client.artifacts)
        self.addCleanup(artifacts.close)
        return artifacts

    def refused(self, code, call, *args, field=None, **fields):
        with self.assertRaises(ZqError) as caught:
            call(*args, **fields)
        self.assertEqual(caught.exception.code, code, caught.exception)
        if field is not None:
            self.assertEqual(caught.exception.field, field)
        return caught.exception

    def state(self, task_id):
        return self.client.task(task_id)["row"]["state"]

    def assigned(self, worker, **task):
        """Submits a task and has it assigned to the worker."""
        self.client.submit(self.role, **task)
        worker.hello()
        worker.ready()
        return worker.next_assign()


class Tasks(Case):
    def test_a_task_goes_to_a_worker_and_its_result_comes_back(self):
        context = b"# Context\n"
        submitted = self.client.call(
            "SUBMIT",
            task={"task_id": make_task_id(), "to": self.role, "from": "python", "instructions": "Prüfe ✓", "group": "g-1",
                  "reply_to": "results.python", "labels": {"team": "x"},
                  "inputs": [{"name": "context", "digest": sha256(context), "size": len(context)}]},
            contents=[{"digest": sha256(context), "data": context}])[1]
        task_id = submitted["task_id"]
        self.assertEqual(submitted["state"], "queued")
        self.assertFalse(submitted.get("role_served", True))
        worker = self.worker()
        welcome = worker.hello()
        self.assertEqual(welcome["lease_ms"], LEASE_S * 1000)
        worker.ready()
        assign = worker.next_assign()
        self.assertEqual((assign["task"]["task_id"], assign["attempt"]), (task_id, 1))
        self.assertEqual(assign["task"]["instructions"], "Prüfe ✓")
        self.assertEqual(assign["submitter"], "local")
        self.assertEqual(worker.heartbeat(), {assign["lease"]: "ok"})
        worker.ask("PROGRESS", task_id=task_id, lease=assign["lease"], percent=42, step="3/7")
        self.assertEqual(self.client.task(task_id)["progress_percent"], 42)

        artifacts = self.artifacts()
        self.assertEqual(artifacts.fetch(task_id, 0, "context", length=3), context)
        log = bytes(range(256)) * 5000  # 1.25 MiB: five chunks
        place = {"task_id": task_id, "lease": assign["lease"]}
        self.assertIsNone(artifacts.put(log, stop_after=2, **place), "broken off")
        again = self.artifacts()
        self.assertGreater(again.put(log, **place), 0, "resumed, not begun anew")
        result = b"# Risks\n"
        report = {"summary": "12 risks", "output": {"cost_usd": "0.09"}, "duration_ms": 1200, "artifacts": [
            {"name": "result.md", "digest": sha256(result), "size": len(result), "data": result},
            {"name": "log/stdout", "digest": sha256(log), "size": len(log)}]}
        accepted = worker.report("COMPLETE", assign, **report)
        self.assertEqual((accepted["state"], accepted["attempt"]), ("completed", 1))
        self.assertGreater(accepted["seq"], submitted["seq"])

        ended = self.client.wait(task_id)
        self.assertEqual([row["state"] for row in ended["rows"]], ["completed"])
        task = self.client.task(task_id)
        self.assertEqual(task["attempts"][0]["outcome"], "completed")
        self.assertEqual([a["name"] for a in task["attempts"][0]["artifacts"]], ["result.md", "log/stdout"])
        self.assertEqual(again.fetch(task_id, 1, "result.md"), result)
        self.assertEqual(again.fetch(task_id, 1, "log/stdout"), log)
        kinds = [row["kind"] for row in self.client.call("EVENTS", task_id=task_id, limit=1000)[1]["rows"]]
        for kind in ("task_submitted", "task_assigned", "attempt_ended"):
            self.assertIn(kind, kinds)
        answered = self.client.call("ANSWERS", reply_to="results.python")[1]["rows"]
        self.assertEqual([row["task_id"] for row in answered], [task_id])
        # The same report again: the same answer. Another one: refused.
        self.assertEqual(worker.report("COMPLETE", assign, **report)["state"], "completed")
        self.refused("CONFLICT", worker.report, "COMPLETE", assign, summary="another")

    def test_a_submit_can_be_repeated(self):
        task = {"task_id": make_task_id(), "to": self.role, "idempotency_key": self.role, "instructions": "x"}
        self.assertFalse(self.client.call("SUBMIT", task=task)[1].get("duplicate", False))
        self.assertTrue(self.client.call("SUBMIT", task=task)[1]["duplicate"])
        other_id = {**task, "task_id": make_task_id()}
        self.assertEqual(self.client.call("SUBMIT", task=other_id)[1]["task_id"], task["task_id"])
        self.refused("CONFLICT", self.client.call, "SUBMIT", task={**task, "instructions": "y"}, field="task.task_id")
        self.refused("CONFLICT", self.client.call, "SUBMIT", task={**other_id, "instructions": "y"},
                     field="task.idempotency_key")

    def test_a_dry_run_changes_nothing(self):
        task_id = make_task_id()
        before = self.client.status()["last_seq"]
        answer = self.client.call("SUBMIT", task={"task_id": task_id, "to": self.role}, dry_run=True)[1]
        self.assertEqual(answer["state"], "queued")
        self.refused("NOT_FOUND", self.client.task, task_id)
        self.assertEqual(self.client.status()["last_seq"], before)

    def test_a_task_is_claimed_by_hand_and_a_lost_answer_asked_for_again(self):
        self.refused("NOTHING_TO_CLAIM", self.client.call, "CLAIM", to=self.role)
        task_id = self.client.submit(self.role)["task_id"]
        request = self.client.take_id()
        claimed = self.client.send_as(request, "CLAIM", to=self.role, lease_ms=60_000, **{"from": "anna"})[1]
        self.assertEqual(claimed["task"]["task_id"], task_id)
        again = self.client.send_as(request, "CLAIM", to=self.role, lease_ms=60_000, **{"from": "anna"})[1]
        self.assertEqual(again["lease"], claimed["lease"])
        held = {"task_id": task_id, "attempt": 1, "lease": claimed["lease"]}
        beat = self.client.call("HEARTBEAT", free=0, leases=[held])[1]
        self.assertEqual(beat["leases"], [{"lease": claimed["lease"], "verdict": "ok"}])
        row = [r for r in self.client.call("LEASES", to=self.role)[1]["rows"] if r["task_id"] == task_id][0]
        self.assertTrue(row["by_hand"])
        self.refused("CONFLICT", self.client.call, "COMPLETE", task_id=task_id)  # without the lease
        self.assertEqual(self.client.call("COMPLETE", **held)[1]["state"], "completed")
        self.refused("CONFLICT", self.client.send_as, request, "CLAIM", to=self.role)

    def test_a_waiting_claim_is_woken_by_a_submit(self):
        def submit():
            with Client(COORDINATOR.endpoint) as other:
                other.submit(self.role)
        timer = threading.Timer(0.3, submit)
        timer.start()
        begun = time.monotonic()
        self.client.call("CLAIM", to=self.role, wait_ms=10_000)
        self.assertLess(time.monotonic() - begun, 5)
        timer.join()

    def test_a_queued_task_is_completed_without_a_claim(self):
        task_id = self.client.submit(self.role)["task_id"]
        self.assertEqual(self.client.call("COMPLETE", task_id=task_id, **{"from": "anna"})[1]["state"], "completed")
        self.assertEqual(self.client.task(task_id)["attempts"][0]["worker"], "anna")

    def test_cancel_ends_a_queued_task_and_reaches_a_running_one(self):
        queued = self.client.submit(self.role)["task_id"]
        self.assertEqual(self.client.call("CANCEL", task_id=queued, reason="no need")[1]["state"], "cancelled")
        self.assertEqual(self.client.call("CANCEL", task_id=queued)[1]["state"], "cancelled")
        worker = self.worker()
        assign = self.assigned(worker)
        running = assign["task"]["task_id"]
        worker.heartbeat()
        self.assertEqual(self.client.call("CANCEL", task_id=running)[1]["state"], "cancelling")
        kind, pushed = worker.next_push()
        self.assertEqual((kind, pushed["leases"]), ("BEAT", [{"lease": assign["lease"], "verdict": "cancel"}]))
        self.assertEqual(worker.heartbeat(), {assign["lease"]: "cancel"})
        self.assertEqual(worker.report("RELEASE", assign, cause="cancelled")["state"], "cancelled")
        self.refused("CONFLICT", self.client.call, "SUBMIT", task={"task_id": running, "to": "another"})

    def test_failures_are_retried_until_they_are_dead(self):
        worker = self.worker()
        assign = self.assigned(worker, max_attempts=2, backoff={"kind": "none"})
        self.assertEqual(worker.report("FAIL", assign, reason="exit 1", exit_code=1)["state"], "queued")
        worker.ready()
        second = worker.next_assign()
        self.assertEqual(second["attempt"], 2)
        self.assertGreater(second["lease"], assign["lease"], "tokens only grow")
        self.assertEqual(worker.report("FAIL", second, reason="signal 9", exit_code=-9)["state"], "dead")
        task = self.client.task(assign["task"]["task_id"])
        self.assertEqual(task["row"]["dead_reason"], "attempts_exhausted")
        self.assertEqual([a["exit_code"] for a in task["attempts"]], [1, -9])
        rows = self.client.call("LIST", states=["dead"], to=self.role)[1]["rows"]
        self.assertEqual([row["task_id"] for row in rows], [task["row"]["task_id"]])

    def test_a_result_has_to_be_what_was_expected(self):
        worker = self.worker()
        assign = self.assigned(worker, expected_output={"format": "json", "artifacts": ["risks"]})
        self.refused("CONTRACT", worker.report, "COMPLETE", assign)
        worker.held[assign["lease"]] = {"task_id": assign["task"]["task_id"], "attempt": 1, "lease": assign["lease"]}
        self.assertEqual(worker.heartbeat()[assign["lease"]], "ok", "the lease goes on")
        named = [{"name": name, "digest": sha256(b"{}"), "size": 2, "data": b"{}"} for name in ("result.json", "risks.md")]
        self.assertEqual(worker.report("COMPLETE", assign, artifacts=named)["state"], "completed")

    def test_what_broke_the_contract_is_told_to_the_next_attempt(self):
        worker = self.worker()
        expected = {"format": "json", "schema": '{"required": ["risks"]}', "rules": [{"name": "log", "min_bytes": 2}]}
        assign = self.assigned(worker, expected_output=expected, backoff={"kind": "none"})
        self.assertNotIn("feedback", assign)
        result = {"name": "result.json", "digest": sha256(b"{}"), "size": 2, "data": b"{}"}
        said = str(self.refused("CONTRACT", worker.report, "COMPLETE", assign, artifacts=[result]))
        self.assertIn("log is missing", said)
        self.assertIn("result.json does not fit its schema: at the root", said)
        worker.report("FAIL", assign, **{"class": "contract"}, reason="log is missing")
        worker.ready()
        second = worker.next_assign()
        self.assertEqual(second["feedback"], {"attempt": 1, "text": "log is missing"})
        data = b'{"risks": []}'
        artifacts = [{**result, "digest": sha256(data), "size": len(data), "data": data},
                     {"name": "log.txt", "digest": sha256(b"ok"), "size": 2, "data": b"ok"}]
        self.assertEqual(worker.report("COMPLETE", second, artifacts=artifacts)["state"], "completed")

    def test_missing_contents_are_listed_then_put_then_accepted(self):
        data = bytes(300_000)
        task = {"task_id": make_task_id(), "to": self.role,
                "inputs": [{"name": "big", "digest": sha256(data), "size": len(data)}]}
        error = self.refused("MISSING_CONTENT", self.client.call, "SUBMIT", task=task)
        self.assertEqual(error.missing, [sha256(data)])
        artifacts = self.artifacts()
        artifacts.put(data)
        self.client.call("SUBMIT", task=task)
        self.assertEqual(artifacts.fetch(task["task_id"], 0, "big"), data)

    def test_artifacts_of_0_and_1_bytes_come_back(self):
        artifacts = self.artifacts()
        contents = {"none": b"", "one": b"\0"}
        for data in contents.values():
            artifacts.put(data)
        refs = [{"name": name, "digest": sha256(data), "size": len(data)} for name, data in contents.items()]
        task_id = self.client.submit(self.role, inputs=refs)["task_id"]
        for name, data in contents.items():
            self.assertEqual(artifacts.fetch(task_id, 0, name), data)


class Sessions(Case):
    def test_an_unknown_worker_is_told_to_say_hello(self):
        worker = self.worker()
        self.refused("HELLO_FIRST", worker.ready)
        self.refused("HELLO_FIRST", worker.heartbeat)
        task_id = self.client.submit(self.role)["task_id"]
        self.refused("HELLO_FIRST", worker.ask, "COMPLETE", task_id=task_id, lease="0123456789abcdef-0000000100000001")

    def test_a_name_belongs_to_one_state_folder_and_its_newest_incarnation(self):
        first = self.worker()
        first.hello()
        self.refused("NAME_IN_USE", self.worker().hello, field="worker")
        newer = self.worker(state_id=first.state_id, incarnation=2)
        newer.hello()
        self.refused("SUPERSEDED", first.hello, field="incarnation")

    def test_a_lease_that_is_not_renewed_goes_to_another_and_its_token_is_stale(self):
        silent = self.worker(name=self.role + "-a")
        assign = self.assigned(silent)
        silent.heartbeat()
        other = self.worker(name=self.role + "-b")
        other.hello()
        end = time.monotonic() + LEASE_S + 10
        while not other.pushed and time.monotonic() < end:
            other.ready()
            time.sleep(0.1)
        second = other.next_assign()
        self.assertEqual((second["task"]["task_id"], second["attempt"]), (assign["task"]["task_id"], 2))
        verdicts = silent.hello()["leases"]
        self.assertEqual(verdicts, [{"lease": assign["lease"], "verdict": "stale"}])
        self.refused("STALE_LEASE", silent.report, "COMPLETE", assign, field="lease")
        self.assertEqual(other.report("COMPLETE", second)["state"], "completed")

    def test_a_goodbye_ends_the_assignments(self):
        worker = self.worker()
        worker.hello()
        worker.ready()
        self.assertEqual(worker.ask("GOODBYE")[0], "GOODBYE")
        self.client.submit(self.role)
        self.refused("HELLO_FIRST", worker.ready)
        self.assertEqual(worker.pushed, [])

    def test_leases_and_seqs_live_on_through_a_kill_of_the_coordinator(self):
        worker = self.worker()
        assign = self.assigned(worker)
        worker.heartbeat()
        before = self.client.status()
        COORDINATOR.kill()
        epoch = COORDINATOR.start()[1]["epoch"]
        after = self.client.status()
        self.assertGreater(epoch, before["epoch"])
        self.assertGreater(after["last_seq"], before["last_seq"])
        self.assertEqual(after["journal"], before["journal"])
        worker.connect()
        self.refused("HELLO_FIRST", worker.heartbeat)
        welcome = worker.hello()
        self.assertEqual(welcome["leases"], [{"lease": assign["lease"], "verdict": "ok"}])
        self.assertEqual(worker.report("COMPLETE", assign)["attempt"], 1)


class Envelopes(Case):
    def test_are_given_back_as_they_came(self):
        context = zmq.Context()
        self.addCleanup(context.term)
        dealer = context.socket(zmq.DEALER)
        self.addCleanup(dealer.close, 0)
        dealer.connect(COORDINATOR.endpoint)
        for envelope in ([], [b""], [b"\0\1\2\3", b""], [b"a", b"b", b"c"]):
            dealer.send_multipart(envelope + message("PING", {"id": 5}))
            self.assertTrue(dealer.poll(5000), envelope)
            frames = dealer.recv_multipart()
            self.assertEqual(frames[:len(envelope)], envelope)
            kind, fields, _ = parse(frames[len(envelope):])
            self.assertEqual((kind, fields["id"], fields["you"]), ("PONG", 5, "local"))


class Polls(Case):
    def test_events_are_followed_without_a_gap(self):
        after = self.client.status()["last_seq"]
        self.client.submit(self.role)
        seqs = []
        while len(seqs) < 1:
            rows = self.client.call("EVENTS", after=after, wait_ms=5000, limit=2)[1]
            seqs += [row["seq"] for row in rows["rows"]]
            after = rows["last"]
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + len(seqs))))

    def test_answers_that_fit_no_frame_come_in_several(self):
        """300 tasks that ended with the longest reason: 1.2 MiB of rows."""
        after = self.client.status()["last_seq"]
        tasks = {self.client.submit(self.role, reply_to=self.role, group=self.role)["task_id"] for _ in range(300)}
        for task_id in tasks:
            self.client.call("FAIL", task_id=task_id, reason="x" * 4096, **{"class": "permanent", "from": "x"})
        last = self.client.status()["last_seq"]
        seqs, pages = [], 0
        while after < last:
            rows = self.client.call("EVENTS", after=after, limit=1000)[1]
            seqs += [row["seq"] for row in rows["rows"]]
            after, pages = rows["last"], pages + 1
        self.assertGreater(pages, 1)
        self.assertEqual(seqs, list(range(seqs[0], last + 1)))
        listed, before = set(), 0
        while True:
            page = self.client.call("LIST", to=self.role, limit=1000, before=before)[1]
            listed |= {row["task_id"] for row in page["rows"]}
            before = page["rows"][-1]["submitted_seq"]
            if not page.get("more"):
                break
        self.assertEqual(listed, tasks)
        ended = self.client.call("WAIT", group=self.role)[1]
        self.assertEqual(len(ended["rows"]) + ended.get("open", 0), 300)
        answered, after = [], 0
        while rows := self.client.call("ANSWERS", reply_to=self.role, after=after, limit=100)[1]["rows"]:
            answered += [row["task_id"] for row in rows]
            after = rows[-1]["changed_seq"]
        self.assertEqual((len(answered), set(answered)), (300, tasks))

    def test_a_poll_ends_by_itself(self):
        task_id = self.client.submit(self.role)["task_id"]
        begun = time.monotonic()
        ended = self.client.wait(task_id, wait_ms=400)
        self.assertEqual((ended["rows"], ended["open"]), ([], 1))
        self.assertGreater(time.monotonic() - begun, 0.3)
        self.refused("INVALID", self.client.wait, task_id, wait_ms=30_001, field="wait_ms")

    def test_a_poll_that_is_sent_again_is_answered_on_the_newer_path(self):
        task_id = self.client.submit(self.role)["task_id"]
        request = self.client.take_id()
        fields = {"id": request, "client": self.client.client, "tasks": [task_id], "wait_ms": 20_000}
        for _ in range(2):
            self.client.socket.send_multipart(message("WAIT", fields))
        with Client(COORDINATOR.endpoint) as other:
            other.call("COMPLETE", task_id=task_id, **{"from": "x"})
        kind, answer, _ = self.client.receive(10)
        self.assertEqual((kind, answer["id"], answer["rows"][0]["task_id"]), ("ENDED", request, task_id))


if __name__ == "__main__":
    unittest.main()
