#!/usr/bin/python3
"""Many submits in one request, and unique keys, spoken by a client that was written from protocol.md."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_protocol import Case, setUpModule, tearDownModule  # noqa: E402,F401
from zq_client import make_task_id, sha256  # noqa: E402


class Batches(Case):
    def tasks(self, count):
        return [{"task_id": make_task_id(), "to": self.role} for _ in range(count)]

    def batch(self, tasks, **more):
        return self.client.call("BATCH", tasks=tasks, **more)[1]

    def test_a_batch_is_answered_task_by_task(self):
        tasks = self.tasks(3)
        tasks[1]["to"] = "no role"
        items = self.batch(tasks)["items"]
        self.assertEqual([item.get("state") for item in items], ["queued", None, "queued"])
        self.assertEqual((items[1]["error"]["code"], items[1]["error"]["field"]), ("INVALID", "task.to"))
        again = self.batch([tasks[0], tasks[2]])["items"]
        self.assertEqual([item["duplicate"] for item in again], [True, True])

    def test_an_atomic_one_is_taken_whole_or_not_at_all(self):
        tasks = self.tasks(2)
        content = b"the context"
        tasks[1]["inputs"] = [{"name": "context", "digest": sha256(content), "size": len(content)}]
        refused = self.batch(tasks, atomic=True)
        self.assertTrue(refused["refused"])
        self.assertEqual(refused["items"][1]["error"]["missing"], [sha256(content)])
        self.refused("NOT_FOUND", self.client.task, tasks[0]["task_id"])
        taken = self.batch(tasks, atomic=True, contents=[{"digest": sha256(content), "data": content}])
        self.assertEqual([item["state"] for item in taken["items"]], ["queued", "queued"])
        self.refused("INVALID", self.batch, [], field="tasks")

    def test_one_unfinished_task_has_a_unique_key(self):
        first, second = self.tasks(2)
        for task in (first, second):
            task["unique_key"] = self.role
        items = self.batch([first, second])["items"]
        self.assertEqual(items[1]["error"]["field"], "task.unique_key")
        second["on_unique"] = "existing"
        answer = self.client.call("SUBMIT", task=second)[1]
        self.assertEqual((answer["task_id"], answer["duplicate"]), (first["task_id"], True))
        self.client.call("CANCEL", task_id=first["task_id"])
        self.assertEqual(self.client.call("SUBMIT", task=second)[1]["task_id"], second["task_id"])


if __name__ == "__main__":
    unittest.main()
