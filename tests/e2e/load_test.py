#!/usr/bin/python3
"""A thousand tasks through four workers while the coordinator is killed with -9 three times."""

import collections
import concurrent.futures
import json
import threading

from zq_e2e import Case, await_that, main

TASKS = 1000
KILLS_AFTER_SUBMITS = (150, 450)
KILL_AFTER_ENDED = 700
COMMAND = ["/bin/sh", "-c", 'echo "$ZQ_TASK_ID" > "$ZQ_RESULT"']


class Load(Case):
    def setUp(self):
        super().setUp()
        self.acknowledged: list[str] = []
        self.lock = threading.Lock()

    def submit_one(self, number: int) -> None:
        task = self.box.submit("load", "--id", f"load-{number:04}", "--group", "load", seconds=120)
        with self.lock:
            self.acknowledged.append(task)

    def kill_and_restart(self, coordinator):
        coordinator.kill()
        return self.box.coordinator()

    def ended(self) -> int:
        rows = json.loads(self.box.zq("status", "--json"))["roles"]
        return len(self.acknowledged) - sum(row["queued"] + row["waiting"] + row["running"] for row in rows)

    def rows(self) -> list[dict]:
        return self.box.rows("ls", "--group", "load", "--limit", str(TASKS))

    def test_every_acknowledged_submit_reaches_one_terminal_state_over_three_kills(self):
        box = self.box
        coordinator = box.coordinator()
        workers = [box.worker(f"w{n}", "load", COMMAND, flags=("--slots", "8")) for n in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            submits = [pool.submit(self.submit_one, number) for number in range(TASKS)]
            for count in KILLS_AFTER_SUBMITS:
                await_that(lambda: len(self.acknowledged) >= count, f"{count} submits are acknowledged", 120)
                coordinator = self.kill_and_restart(coordinator)
            for each in submits:
                each.result()
        await_that(lambda: self.ended() >= KILL_AFTER_ENDED, f"{KILL_AFTER_ENDED} tasks have ended", 120)
        coordinator = self.kill_and_restart(coordinator)
        box.zq("wait", "--group", "load", "--timeout", "5m", seconds=330)

        rows = self.rows()
        self.assertEqual(sorted(row["id"] for row in rows), sorted(self.acknowledged))
        self.assertEqual(collections.Counter(row["state"] for row in rows), {"completed": TASKS})
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = dict(zip(self.acknowledged, pool.map(lambda task: box.zq("result", task), self.acknowledged)))
        self.assertEqual({task: task for task in self.acknowledged}, results)
        self.assert_ended_once()
        for worker in workers:
            self.assertFalse(worker.ended(), "workers outlive the coordinator's kills")

        coordinator.process.terminate()
        self.assertEqual(coordinator.wait(), 0)
        print(box.check())

    def assert_ended_once(self) -> None:
        """The history holds one accepted end for each task."""
        ends = collections.Counter(
            row["id"] for row in self.box.rows("events")
            if row["kind"] == "attempt_ended" and row["fields"]["outcome"] == "completed"
        )
        self.assertEqual(ends, dict.fromkeys(self.acknowledged, 1))


if __name__ == "__main__":
    main()
