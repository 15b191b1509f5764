#!/usr/bin/python3
"""Bad input of every kind from a peer: a typed error, counted; nothing changes; service goes on."""
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
try:
    import zq_client
except ImportError as error:
    print(f"skipped: {error} (apt-get install python3-zmq python3-msgpack)")
    sys.exit(77)
import zmq  # noqa: E402
from fixture import Coordinator  # noqa: E402
from test_vectors import read_blocks, read_frames  # noqa: E402
from zq_client import Artifacts, Client, Worker, make_task_id, message, sha256  # noqa: E402

COORDINATOR = Coordinator()
FRAME_BYTES = 1024 * 1024
LEASE = "0123456789abcdef-0000000100000001"
PATH_TRICKS = ["../x", "/etc/passwd", "a/../../b", "a//b", "a/", ".", "..", "./a", "a/.git", "~/a", "a\\..\\b", "a\0b", "",
               "C:/a", "ä", "a\nb", "x" * 65, "/".join(["x" * 60] * 5)]


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


class BadInput(unittest.TestCase):
    """Every test leaves the journal where it was, and the coordinator serving."""

    def setUp(self):
        self.client = Client(COORDINATOR.endpoint)
        self.addCleanup(self.client.close)
        self.before = self.client.status()
        self.expected = {}

    def tearDown(self):
        after = self.client.status()
        self.assertEqual((after["last_seq"], after["chain_head"]), (self.before["last_seq"], self.before["chain_head"]))
        for code, count in self.expected.items():
            name = f"refused_{code}"
            grown = int(after["counters"].get(name, 0)) - int(self.before["counters"].get(name, 0))
            self.assertGreaterEqual(grown, count, name)

    def assert_refused(self, frames, code, field=None, request=None, counted=True):
        answer = self.client.raw(frames)
        self.assertIsNotNone(answer, "no answer")
        kind, fields = answer
        self.assertEqual((kind, fields.get("code")), ("ERROR", code), fields)
        if field is not None:
            self.assertEqual(fields.get("field", ""), field)
        if request is not None:
            self.assertEqual(fields.get("id", 0), request)
        self.assertTrue(fields["message"])
        if counted:
            self.expected[code] = self.expected.get(code, 0) + 1

    def refuse(self, kind, code, field=None, **fields):
        with self.subTest(kind=kind, field=field, fields=str(fields)[:100]):
            frames = message(kind, {"id": 9, "client": self.client.client, **fields})
            self.assert_refused(frames, code, field, 9)

    def test_malformed_vectors_are_refused_at_the_control_socket(self):
        for block in read_blocks("malformed"):
            with self.subTest(block["name"]):
                frames = read_frames(block["frames"])
                if any(len(frame) > FRAME_BYTES for frame in frames):
                    continue  # see the test of oversized frames
                self.assert_refused(frames, block["error"], block.get("field", ""), int(block.get("id", 0)))

    def test_malformed_vectors_are_refused_at_the_artifacts_socket(self):
        with Client(COORDINATOR.artifacts) as client:
            for block in read_blocks("malformed"):
                with self.subTest(block["name"]):
                    frames = read_frames(block["frames"])
                    if any(len(frame) > FRAME_BYTES for frame in frames):
                        continue
                    kind, fields = client.raw(frames)
                    self.assertEqual((kind, fields["code"], fields.get("field", "")),
                                     ("ERROR", block["error"], block.get("field", "")))
            self.assertEqual(client.call("PING")[0], "PONG")

    def test_odd_but_right_vectors_are_served(self):
        for block in read_blocks("odd"):
            if block["reads_as"] == "ping":
                with self.subTest(block["name"]):
                    self.assertEqual(self.client.raw(read_frames(block["frames"]))[0], "PONG")

    def test_oversized_frames_end_the_connection_and_nobody_elses(self):
        with Client(COORDINATOR.endpoint) as rude:
            frames = message("PING", {"id": 1, "pad": "x" * FRAME_BYTES})
            self.assertIsNone(rude.raw(frames, patience=1.0))
            self.assertEqual(self.client.call("PING")[0], "PONG")
            rude.connect()
            self.assertEqual(rude.call("PING")[0], "PONG")

    def test_too_many_frames_are_refused_and_dropped_with_their_message(self):
        self.assert_refused(message("PING", {"id": 1}) + [b"x"] * 1000, "MALFORMED")
        self.assert_refused([b"x"] * 5000, "MALFORMED")
        self.assertEqual(self.client.call("PING")[0], "PONG")

    def test_random_bytes_are_refused(self):
        for size in (0, 1, 2, 3, 4, 40, 4000):
            for count in (1, 2, 3, 4, 5):
                with self.subTest(size=size, count=count):
                    frames = [os.urandom(size) for _ in range(count)]
                    self.assert_refused(frames, "MALFORMED")
                    kind, fields = self.client.raw([b"zq/1", b"SUBMIT", os.urandom(size + 1) + b"\xc1"])
                    self.assertEqual(kind, "ERROR")
                    self.assertIn(fields["code"], ("MALFORMED", "TOO_LARGE"))  # random lengths may be huge

    def test_messages_of_the_other_side_or_socket_are_unknown(self):
        self.refuse("ACCEPTED", "UNKNOWN_TYPE", task_id="a", state="queued")
        self.refuse("BEAT", "UNKNOWN_TYPE")
        self.refuse("PUT", "UNKNOWN_TYPE", digest=sha256(b"x"), size=1)
        self.refuse("FETCH", "UNKNOWN_TYPE", task_id="a", attempt=1, name="x", offset=0, length=1)
        with Artifacts(COORDINATOR.artifacts) as artifacts:
            artifacts.send("SUBMIT", task={"task_id": "a", "to": "r"})
            with self.assertRaises(zq_client.ZqError) as caught:
                artifacts.answer()
            self.assertEqual(caught.exception.code, "UNKNOWN_TYPE")

    def test_names_with_path_tricks_are_refused_wherever_they_come(self):
        held = {"task_id": "task-1", "lease": LEASE}
        for name in PATH_TRICKS:
            ref = {"name": name, "digest": sha256(b"x"), "size": 1}
            task = {"task_id": make_task_id(), "to": "r"}
            self.refuse("SUBMIT", "INVALID", "task.inputs[0].name", task={**task, "inputs": [ref]})
            self.refuse("SUBMIT", "INVALID", "task.expected_output.artifacts",
                        task={**task, "expected_output": {"artifacts": [name]}})
            self.refuse("SUBMIT", "INVALID", "task.expected_output.rules[0].name",
                        task={**task, "expected_output": {"rules": [{"name": name}]}})
            self.refuse("COMPLETE", "INVALID", "artifacts[0].name", **held, artifacts=[{**ref, "data": b"x"}])
            self.refuse("SUBMIT", "INVALID", "task.task_id", task={**task, "task_id": name})
            self.refuse("SUBMIT", "INVALID", "task.to", task={**task, "to": name})
            self.refuse("GET", "INVALID", "task_id", task_id=name)
            hello = {"worker": name, "state_id": "0" * 32, "incarnation": 1, "roles": ["r"], "slots": 1}
            self.refuse("HELLO", "INVALID", "worker", **hello)

    def test_path_tricks_reach_no_file_through_the_artifacts_socket(self):
        with Artifacts(COORDINATOR.artifacts) as artifacts:
            for name in PATH_TRICKS:
                with self.subTest(name=name):
                    artifacts.send("FETCH", task_id="task-1", attempt=1, name=name, offset=0, length=100)
                    with self.assertRaises(zq_client.ZqError) as caught:
                        artifacts.answer()
                    self.assertEqual((caught.exception.code, caught.exception.field), ("INVALID", "name"))

    def test_every_bound_of_a_submit_is_kept(self):
        def task(**more):
            return {"task": {"task_id": make_task_id(), "to": "r", **more}}
        ref = {"digest": sha256(b"x"), "size": 1}
        self.refuse("SUBMIT", "TOO_LARGE", "task.instructions", **task(instructions="x" * (256 * 1024 + 1)))
        self.refuse("SUBMIT", "TOO_LARGE", "task.payload", **task(payload="x" * (256 * 1024 + 1)))
        self.refuse("SUBMIT", "INVALID", "task.priority", **task(priority=11))
        self.refuse("SUBMIT", "INVALID", "task.max_attempts", **task(max_attempts=0))
        self.refuse("SUBMIT", "INVALID", "task.ns", **task(ns="other"))
        self.refuse("SUBMIT", "INVALID", "task.ttl_ms", **task(ttl_ms=2 ** 62))
        self.refuse("SUBMIT", "TOO_LARGE", "task.labels", **task(labels={f"k{i}": "" for i in range(33)}))
        self.refuse("SUBMIT", "TOO_LARGE", "task.inputs", **task(inputs=[{"name": f"i{i}", **ref} for i in range(65)]))
        self.refuse("SUBMIT", "INVALID", "task.inputs[1].name", **task(inputs=[{"name": "a", **ref}] * 2))
        self.refuse("SUBMIT", "TOO_LARGE", "task.inputs[0].size", **task(inputs=[{"name": "a", **ref, "size": 2 ** 41}]))

    def test_inline_contents_have_to_be_what_they_are_called(self):
        good = {"digest": sha256(b"x"), "size": 1}
        task = {"task_id": make_task_id(), "to": "r", "inputs": [{"name": "a", **good}]}
        self.refuse("SUBMIT", "DIGEST_MISMATCH", "contents[0].data", task=task,
                    contents=[{"digest": sha256(b"x"), "data": b"y"}])
        self.refuse("SUBMIT", "INVALID", "contents[0].digest", task=task, contents=[{"digest": sha256(b"y"), "data": b"y"}])
        large = bytes(16 * 1024 + 1)
        task["inputs"] = [{"name": "a", "digest": sha256(large), "size": len(large)}]
        self.refuse("SUBMIT", "TOO_LARGE", "contents[0].data", task=task, contents=[{"digest": sha256(large), "data": large}])

    def test_bounds_of_reading_are_kept(self):
        self.refuse("LIST", "INVALID", "limit", limit=1001)
        self.refuse("LIST", "INVALID", "limit", limit=0)
        self.refuse("EVENTS", "INVALID", "limit", limit=2 ** 31)
        self.refuse("EVENTS", "INVALID", "wait_ms", wait_ms=30_001)
        self.refuse("WAIT", "TOO_LARGE", "tasks", tasks=["a"] * 1001)
        self.refuse("WAIT", "INVALID", "tasks")
        self.refuse("ANSWERS", "INVALID", "reply_to", reply_to="")
        self.refuse("CLAIM", "INVALID", "to")
        self.refuse("CLAIM", "INVALID", "lease_ms", to="r", lease_ms=8 * 86_400_000)

    def test_reports_under_made_up_leases_are_refused(self):
        for kind, more in (("COMPLETE", {}), ("SKIP", {}), ("FAIL", {"reason": "x"}), ("RELEASE", {}), ("PROGRESS", {"percent": 1})):
            self.refuse(kind, "NOT_FOUND", "task_id", task_id="no-such-task", lease=LEASE, **more)
        self.refuse("GET", "NOT_FOUND", task_id="no-such-task")
        self.refuse("CANCEL", "NOT_FOUND", "task_id", task_id="no-such-task")
        self.refuse("CLAIM", "NOT_FOUND", "task_id", task_id="no-such-task")
        self.refuse("WAIT", "NOT_FOUND", tasks=["no-such-task"])
        self.refuse("JOIN", "DENIED", public_key="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", name="x")

    def test_a_heartbeat_for_leases_that_are_not_ones_own_is_answered_stale(self):
        held = [{"task_id": "task-1", "attempt": 1, "lease": LEASE}]
        beat = self.client.call("HEARTBEAT", free=0, leases=held)[1]
        self.assertEqual(beat["leases"], [{"lease": LEASE, "verdict": "stale"}])

    def test_uploads_that_lie_are_dropped(self):
        with Artifacts(COORDINATOR.artifacts) as artifacts:
            claimed = sha256(b"what was announced")
            artifacts.send("CHUNK", b"x", digest=claimed, offset=0, size=1)
            self.assert_answer(artifacts, "NOT_FOUND")
            artifacts.send("PUT", digest=claimed, size=18)
            self.assertEqual(artifacts.answer()[0], "PULL")
            artifacts.send("CHUNK", b"0123", digest=claimed, offset=7, size=18)
            kind, fields, _ = artifacts.answer()
            self.assertEqual((kind, fields["offset"]), ("PULL", 0), "a chunk out of place is dropped")
            artifacts.send("CHUNK", b"something else ...", digest=claimed, offset=0, size=18)
            self.assert_answer(artifacts, "DIGEST_MISMATCH")
            artifacts.send("PUT", digest=claimed, size=2 ** 41)
            self.assert_answer(artifacts, "TOO_LARGE")
            artifacts.send("PUT", digest=claimed, size=18)
            kind, fields, _ = artifacts.answer()
            self.assertEqual((kind, fields["offset"]), ("PULL", 0), "nothing of it was kept")
            artifacts.send("CHUNK", bytes(19), digest=claimed, offset=0, size=18)
            self.assert_answer(artifacts, "TOO_LARGE")
            artifacts.send("CHUNK", bytes(256 * 1024 + 1), digest=claimed, offset=0, size=2 ** 20)
            self.assert_answer(artifacts, "TOO_LARGE")

    def assert_answer(self, artifacts, code):
        with self.assertRaises(zq_client.ZqError) as caught:
            artifacts.answer()
        self.assertEqual(caught.exception.code, code, caught.exception)

    def test_a_flood_of_bad_messages_starves_nobody(self):
        flood = zmq.Context()
        dealers = [flood.socket(zmq.DEALER) for _ in range(4)]
        try:
            for dealer in dealers:
                dealer.linger = 0
                dealer.connect(COORDINATOR.endpoint)
            for i in range(4000):
                dealers[i % 4].send_multipart([b"zq/1", b"SUBMIT", b"\xc1" * (i % 50)], zmq.DONTWAIT)
            begun = time.monotonic()
            self.assertEqual(self.client.call("PING")[0], "PONG")
            self.assertLess(time.monotonic() - begun, 5)
        finally:
            for dealer in dealers:
                dealer.close(0)
            flood.term()


class AfterBadInput(unittest.TestCase):
    def test_a_task_still_goes_all_the_way(self):
        with Client(COORDINATOR.endpoint) as client, Worker(COORDINATOR.endpoint, "after", ["after"]) as worker:
            dealer = worker.socket
            worker.hello()
            dealer.send_multipart([b"zq/1", b"READY", b"\x81\xa2id\xc1"])
            kind, fields, _ = worker.receive(5)
            self.assertEqual((kind, fields["code"]), ("ERROR", "MALFORMED"))
            task_id = client.submit("after")["task_id"]
            worker.ready()
            assign = worker.next_assign()
            self.assertEqual(worker.report("COMPLETE", assign)["state"], "completed")
            self.assertEqual(client.wait(task_id)["rows"][0]["state"], "completed")


if __name__ == "__main__":
    unittest.main()
