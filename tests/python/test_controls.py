#!/usr/bin/python3
"""Pauses, limits and capabilities, spoken by a client and workers that were written from protocol.md."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_protocol import Case, setUpModule, tearDownModule  # noqa: E402,F401
from zq_client import ZqError, message  # noqa: E402


class Controls(Case):
    def call(self, message_type, fields):
        """Client.call, for messages that have a field `kind` of their own."""
        answer, said = self.client.raw(message(message_type, {"id": self.client.take_id(), **fields}))
        if answer == "ERROR":
            raise ZqError(said)
        return said

    def say(self, kind, name, **what):
        return self.call("SET_CONTROL", {"kind": kind, "name": name, **what})["control"]

    def refused_field(self, code, field, kind, name, **what):
        with self.assertRaises(ZqError) as caught:
            self.say(kind, name, **what)
        self.assertEqual((caught.exception.code, caught.exception.field), (code, field))

    def row(self, kind, name):
        rows = self.call("CONTROLS", {"kind": kind, "name": name})["rows"]
        self.assertEqual([row["control"]["name"] for row in rows], [name])
        return rows[0]

    def why(self, task):
        return self.client.task(task["task_id"])["why"]["rule"]

    def ready(self, **more):
        worker = self.worker(**more)
        worker.hello()
        worker.ready()
        return worker

    def test_a_paused_role_is_given_out_when_it_goes_on(self):
        said = self.say("role", self.role, paused=True, reason="later")
        self.assertEqual((said["paused"], said["reason"], said["by"]), (True, "later", "local"))
        worker = self.ready()
        task = self.client.submit(self.role)
        self.assertEqual(self.why(task), "paused")
        self.refused("NOTHING_TO_CLAIM", self.client.call, "CLAIM", to=self.role)
        self.refused("CONFLICT", self.client.call, "CLAIM", task_id=task["task_id"])
        role = next(row for row in self.client.status()["roles"] if row["role"] == self.role)
        self.assertTrue(role["paused"])
        self.assertNotIn("paused", self.say("role", self.role, paused=False))
        self.assertEqual(worker.next_assign()["task"]["task_id"], task["task_id"])

    def test_a_closed_role_refuses_and_names_the_field(self):
        self.say("role", self.role, closed=True)
        self.refused("DRAINING", self.client.submit, self.role, field="task.to")
        self.say("role", self.role, closed=False)
        self.assertEqual(self.client.submit(self.role)["state"], "queued")

    def test_a_limit_key_holds_all_that_have_it(self):
        key = "key of " + self.role
        self.say("limit_key", key, limits={"concurrency": 1})
        worker = self.ready(slots=2)
        tasks = [self.client.submit(self.role, limit_key=key) for _ in range(2)]
        assign = worker.next_assign()
        self.assertEqual(assign["task"]["limit_key"], key)
        self.assertEqual(self.why(tasks[1]), "concurrency")
        row = self.row("limit_key", key)
        self.assertEqual((row["limits"], row["ready"], row["running"]), ({"concurrency": 1}, 1, 1))
        worker.heartbeat()
        worker.report("FAIL", assign, **{"class": "rate_limited", "reason": "429", "retry_after_ms": 600_000})
        self.assertEqual(self.why(tasks[1]), "rate_limited")
        self.assertEqual(self.row("limit_key", key)["control"]["held_by"], tasks[0]["task_id"])
        self.say("limit_key", key, paused=False)
        worker.ready()
        self.assertEqual(worker.next_assign()["task"]["task_id"], tasks[1]["task_id"])

    def test_a_rate_is_set_kept_beside_other_limits_and_reset(self):
        rate = {"count": 1, "period_ms": 3_600_000}
        self.say("role", self.role, limits={"rate": rate})
        self.say("role", self.role, limits={"max_open": 2})
        self.assertEqual(self.row("role", self.role)["limits"], {"rate": rate, "max_open": 2})
        worker = self.ready(slots=2)
        tasks = [self.client.submit(self.role) for _ in range(2)]
        worker.next_assign()
        self.assertEqual(self.why(tasks[1]), "rate")
        self.assertGreater(self.row("role", self.role)["opens_at"], self.client.status()["now"])
        self.refused("QUEUE_FULL", self.client.submit, self.role, field="task.to")
        self.say("role", self.role, reset=True)
        self.assertEqual(worker.next_assign()["task"]["task_id"], tasks[1]["task_id"])

    def test_a_task_goes_to_the_worker_that_has_what_it_needs(self):
        self.ready(name=self.role + "-plain")
        other = self.worker(name=self.role + "-gpu")
        other.ask("HELLO", worker=other.name, state_id=other.state_id, incarnation=1, roles=[self.role], slots=1,
                  labels=["region=eu", "gpu"])
        task = self.client.submit(self.role, needs=["region=eu"])
        self.assertIn(self.why(task), ("busy", "matching"))
        other.ready()
        self.assertEqual(other.next_assign()["task"]["needs"], ["region=eu"])
        never = self.client.submit(self.role, needs=["tpu"])
        self.assertEqual(self.why(never), "labels")
        rows = {row["worker"]: row.get("labels") for row in self.client.call("WORKERS")[1]["rows"]}
        self.assertEqual((rows[other.name], rows[self.role + "-plain"]), (["gpu", "region=eu"], None))

    def test_a_worker_that_drains_is_told_so_until_it_is_another(self):
        worker = self.ready(state_id="d" * 32)
        self.say("worker", worker.name, drain=True)
        self.assertTrue(worker.ask("HEARTBEAT", free=1)[1]["drain"])
        task = self.client.submit(self.role)
        self.assertEqual(self.why(task), "workers_paused")
        later = self.worker(state_id="d" * 32, incarnation=2)
        later.hello()
        self.assertNotIn("drain", later.ready())
        self.assertEqual(later.next_assign()["task"]["task_id"], task["task_id"])

    def test_what_makes_no_sense_is_refused(self):
        for kind, name, what, field in (
                ("role", "r", {}, "paused"),
                ("role", "a b", {"paused": True}, "name"),
                ("role", "r", {"drain": True}, "drain"),
                ("limit_key", "k", {"closed": True}, "closed"),
                ("limit_key", "*", {"paused": True}, "name"),
                ("limit_key", "k", {"limits": {"max_open": 1}}, "limits"),
                ("worker", "w", {"limits": {"concurrency": 1}}, "limits"),
                ("role", "r", {"limits": {"rate": {"count": 1}}}, "limits.rate")):
            with self.subTest(kind=kind, what=what):
                self.refused_field("INVALID", field, kind, name, **what)
        self.refused_field("NOT_FOUND", "name", "worker", "nobody", drain=True)


if __name__ == "__main__":
    unittest.main()
