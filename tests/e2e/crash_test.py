#!/usr/bin/python3
"""What a kill -9 of each program, and a coordinator that is away, cost: nothing that was acknowledged."""

import json
import os
import signal
import time

from zq_e2e import Case, await_that, is_alive, is_frozen, main

SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")
LEASE_S = 2


class KilledCoordinator(Case):
    def test_a_worker_keeps_its_task_over_a_killed_coordinator_and_completes_attempt_1(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        box.worker("w1", "build")
        task = box.submit("build")
        child = box.await_child(task, 1)
        coordinator.kill()
        box.coordinator(*SHORT_LEASE)
        # By the worker's return, not merely restored.
        box.await_confirmed(task)
        self.assertTrue(is_alive(child))
        box.let_go()
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.attempts_of(task), [(1, "completed")])
        self.assertEqual(box.zq("result", task), f"{task} attempt 1")
        self.assertEqual(len(box.lives(task)), 1)

    def test_the_next_coordinator_takes_over_even_before_the_killed_one_is_gone(self):
        box = self.box
        tasks = []
        coordinator = box.coordinator()
        for _ in range(5):
            tasks.append(box.submit("build"))
            coordinator.signal(signal.SIGKILL)
            coordinator = box.coordinator()
        for task in tasks:
            self.assertEqual(box.state_of(task), "queued")

    def test_tasks_beyond_those_that_stay_in_memory_are_as_they_were_after_each_kill(self):
        box = self.box
        coordinator = box.coordinator()
        count = 6000  # more than a coordinator keeps the records of
        lines = [json.dumps({"task_id": f"n{n:04}", "to": "research"}) + "\n" for n in range(count)]
        box.zq("batch", "-f", box.write("tasks.jsonl", "".join(lines)), "-o", "none")
        coordinator.kill()
        coordinator = box.coordinator()
        # Asked for, changed twice, and brought over from the log once more.
        box.zq("cancel", "n0000")
        box.zq("claim", "--id", "n0001", "--lease", "1h")
        box.zq("release", "n0001")
        coordinator.kill()
        coordinator = box.coordinator()
        self.assertEqual(box.state_of("n0000"), "cancelled")
        self.assertEqual(box.state_of(f"n{count - 1:04}"), "queued")
        self.assertEqual(json.loads(box.zq("status", "--json"))["counters"]["open_tasks"], str(count - 1))
        claimed = [json.loads(box.zq("claim", "--role", "research", "--json"))["id"] for _ in range(3)]
        self.assertEqual(claimed, ["n0001", "n0002", "n0003"])
        coordinator.signal(signal.SIGTERM)
        coordinator.wait()
        box.zq("journal", "verify", "--data", box.data)

    def test_a_task_that_ends_while_the_coordinator_is_down_is_delivered_after_its_restart(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        box.worker("w1", "build")
        task = box.submit("build")
        child = box.await_child(task, 1)
        coordinator.kill()
        box.let_go()
        await_that(lambda: not is_alive(child), "the child ends while nobody listens")
        box.coordinator(*SHORT_LEASE)
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.attempts_of(task), [(1, "completed")])
        self.assertEqual(box.zq("result", task), f"{task} attempt 1")
        box.zq("result", task, "--verify")


class KilledWorker(Case):
    def test_its_task_is_redelivered_as_attempt_2_and_the_old_child_and_token_are_dead(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        worker = box.worker("w1", "build")
        task = box.submit("build")
        child = box.await_child(task, 1)
        with open(f"/proc/{child}/environ", encoding="utf-8") as environ:
            old_lease = next(v[9:] for v in environ.read().split("\0") if v.startswith("ZQ_LEASE="))
        worker.kill()
        self.assertTrue(is_alive(child), "the child outlives its worker until the restart")
        box.worker("w1", "build")
        box.await_child(task, 2)
        self.assertFalse(is_alive(child), "the old child is dead before the new one runs")
        refused = box.run(["zq", "complete", task, "--lease", old_lease, "--summary", "late", "--json"], ok=(5,))
        self.assertIn(b"STALE_LEASE", refused.stderr)
        box.let_go()
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.attempts_of(task)[-1], (2, "completed"))
        self.assertEqual(box.zq("result", task), f"{task} attempt 2")
        box.assert_never_two_at_once(task)

    def test_without_a_restart_another_worker_gets_the_task_when_the_lease_ends(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        worker = box.worker("w1", "build")
        task = box.submit("build")
        box.await_child(task, 1)
        box.await_confirmed(task)
        worker.kill()
        box.worker("w2", "build")
        box.await_child(task, 2, seconds=30)
        box.let_go()
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.attempts_of(task), [(1, "lost"), (2, "completed")])


class KilledClient(Case):
    def test_a_submit_that_was_killed_and_repeated_with_its_id_makes_one_task(self):
        box = self.box
        coordinator = box.coordinator()
        # The coordinator is stopped, so that the kill hits a submit that is under way for certain.
        coordinator.signal(signal.SIGSTOP)
        submit = ["zq", "submit", "--to", "build", "--id", "once", "--instructions", "Build it."]
        killed = box.spawn("submit", submit)
        await_that(lambda: has_connected(killed.pid), "the client has connected")
        killed.kill()
        coordinator.signal(signal.SIGCONT)
        self.assertEqual(box.zq("submit", "-q", *submit[2:]), "once")
        self.assertEqual(box.zq("submit", "-q", *submit[2:]), "once")
        self.assertEqual(box.zq("ls", "-q").split(), ["once"])
        refused = box.run([*submit, "--priority", "high"], ok=(5,))
        self.assertIn(b"once", refused.stderr)


class CoordinatorAway(Case):
    def run_ten(self, away) -> None:
        """Ten tasks run while `away` keeps the coordinator from them for three leases."""
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        for number in range(2):
            box.worker(f"w{number}", "build", flags=("--slots", "5"))
        tasks = [box.submit("build") for _ in range(10)]
        children = [box.await_child(task, 1) for task in tasks]
        away(coordinator, children)
        await_that(lambda: not any(is_frozen(child) for child in children), "all are thawed")
        box.let_go()
        box.zq("wait", *tasks, "--timeout", "60s", seconds=90)
        for task in tasks:
            self.assertEqual(box.attempts_of(task), [(1, "completed")])
            self.assertEqual(len(box.lives(task)), 1, "one child, run once")

    def await_frozen_for_three_leases(self, children: list[int]) -> None:
        await_that(lambda: all(is_frozen(child) for child in children), "all ten are frozen")
        silence = min(self.last_life(child) for child in children)
        await_that(lambda: monotonic_ms() - silence > 3 * LEASE_S * 1000, "three leases have passed")

    def last_life(self, child: int) -> int:
        for task in os.listdir(self.box.children):
            if task.endswith(f".{child}"):
                with open(os.path.join(self.box.children, task), encoding="ascii") as life:
                    return int(life.read().split()[-1])
        raise AssertionError(f"no sign of life of {child}")

    def test_ten_tasks_survive_a_coordinator_that_is_frozen_for_three_leases(self):
        def freeze(coordinator, children):
            coordinator.signal(signal.SIGSTOP)
            self.await_frozen_for_three_leases(children)
            coordinator.signal(signal.SIGCONT)
        self.run_ten(freeze)

    def test_ten_tasks_survive_a_coordinator_that_is_down_for_three_leases(self):
        def down(coordinator, children):
            coordinator.kill()
            self.await_frozen_for_three_leases(children)
            self.box.coordinator(*SHORT_LEASE)
        self.run_ten(down)


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def has_connected(pid: int) -> bool:
    """True once the process has an established TCP connection."""
    try:
        sockets = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except FileNotFoundError:
        return False
    inodes = {link[8:-1] for link in sockets if link.startswith("socket:[")}
    rows = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            rows += [line.split() for line in lines][1:]
    return any(row[3] == "01" and row[9] in inodes for row in rows)


if __name__ == "__main__":
    main()
