#!/usr/bin/python3
"""What attempts save for the ones after them, spoken by a client that was written from protocol.md."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_protocol import COORDINATOR, Case, setUpModule, tearDownModule  # noqa: E402,F401
from zq_client import sha256  # noqa: E402


class Checkpoints(Case):
    def checkpoint(self, data, name="state.json", inline=True):
        artifact = {"name": name, "digest": sha256(data), "size": len(data)}
        return {"artifact": {**artifact, "data": data} if inline else artifact}

    def test_a_checkpoint_is_given_to_the_next_attempt_and_read_by_its_number(self):
        worker = self.worker()
        first = self.assigned(worker, backoff={"kind": "none"})
        self.assertNotIn("checkpoints", first)
        for data in (b"step 1", b"step 2"):
            answer = worker.ask("CHECKPOINT", task_id=first["task"]["task_id"], lease=first["lease"],
                                **self.checkpoint(data))[1]
            self.assertEqual((answer["state"], answer["attempt"]), ("running", 1))
            self.assertGreater(answer["seq"], 0)
        task_id = first["task"]["task_id"]
        self.assertEqual(self.artifacts().fetch(task_id, 1, "state.json", checkpoint=2), b"step 2")
        worker.report("FAIL", first, reason="it broke")
        worker.ready()
        second = worker.next_assign()
        saved = second["checkpoints"]
        self.assertEqual([(c["number"], c["attempt"], c["name"]) for c in saved],
                         [(1, 1, "state.json"), (2, 1, "state.json")])
        self.assertEqual(saved[1]["digest"], sha256(b"step 2"))
        self.assertEqual(self.artifacts().fetch(task_id, 1, "state.json", checkpoint=1), b"step 1")
        self.refused("STALE_LEASE", worker.ask, "CHECKPOINT", task_id=task_id, lease=first["lease"],
                     **self.checkpoint(b"late"))
        worker.report("COMPLETE", second)
        self.assertEqual(self.client.task(task_id)["checkpoints"], saved)

    def test_a_checkpoint_of_a_claim_by_hand_lives_through_a_kill_of_the_coordinator(self):
        task_id = self.client.submit(self.role)["task_id"]
        lease = self.client.call("CLAIM", to=self.role)[1]["lease"]
        data = os.urandom(20_000)
        missing = self.refused("MISSING_CONTENT", self.client.call, "CHECKPOINT", task_id=task_id, lease=lease,
                               **self.checkpoint(data, "memory/index.db", inline=False))
        self.assertEqual(missing.missing, [sha256(data)])
        self.artifacts().put(data, task_id=task_id, lease=lease)
        self.client.call("CHECKPOINT", task_id=task_id, lease=lease,
                         **self.checkpoint(data, "memory/index.db", inline=False))
        COORDINATOR.kill()
        COORDINATOR.start()
        saved = self.client.task(task_id)["checkpoints"]
        self.assertEqual([c["name"] for c in saved], ["memory/index.db"])
        self.assertEqual(self.artifacts().fetch(task_id, 1, "memory/index.db", checkpoint=1), data)
        self.client.call("RELEASE", task_id=task_id, lease=lease)
        self.assertEqual(self.client.call("CLAIM", to=self.role)[1]["checkpoints"], saved)

    def test_bytes_that_are_not_what_their_digest_says_are_refused(self):
        task_id = self.client.submit(self.role)["task_id"]
        lease = self.client.call("CLAIM", to=self.role)[1]["lease"]
        wrong = self.checkpoint(b"abc")
        wrong["artifact"]["data"] = b"abd"
        self.refused("DIGEST_MISMATCH", self.client.call, "CHECKPOINT", task_id=task_id, lease=lease, **wrong)
        self.assertNotIn("checkpoints", self.client.task(task_id))


if __name__ == "__main__":
    unittest.main()
