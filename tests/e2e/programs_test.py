#!/usr/bin/python3
"""How the programs start, refuse to start, and end."""

import json
import signal
import statistics
import subprocess
import time
import unittest
import os

from zq_e2e import BIN, Case, PATIENCE, await_that, is_alive, main

TRUE = ["/bin/true"]


class Starting(Case):
    def test_a_second_coordinator_on_the_same_folder_is_refused(self):
        box = self.box
        box.coordinator()
        other = ["zq-coordinator", "--data", box.data, "--bind", "ipc://" + box.path("other"),
                 "--artifacts-bind", "ipc://" + box.path("other-artifacts")]
        done = box.run(other, ok=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(box.data.encode(), done.stderr)
        box.zq("ping")

    def test_an_address_that_others_reach_is_refused_without_keys_and_warned_of_when_insecure(self):
        box = self.box
        flags = ["--bind", box.bind.replace("127.0.0.1", "0.0.0.0"),
                 "--artifacts-bind", box.artifacts_bind.replace("127.0.0.1", "0.0.0.0")]
        done = box.run(["zq-coordinator", "--data", box.data, *flags], ok=None, seconds=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"zq init", done.stderr)
        program = box.spawn("insecure", ["zq-coordinator", "--data", box.data, *flags, "--insecure"])
        box.zq("ping")
        self.assertRegex(program.output().lower(), r"warn.*insecure|insecure.*warn")

    def test_an_unknown_flag_is_refused_with_a_suggestion(self):
        for program, flag, near in (("zq-coordinator", "--daat", "--data"), ("zq", "submti", "submit"),
                                    ("zq-worker", "--rol", "--role")):
            done = self.box.run([program, flag, "x"], ok=(2,))
            self.assertIn(near.encode(), done.stderr)

    @unittest.skipIf(PATIENCE > 1, "a sanitizer starts slowly")
    def test_zq_version_starts_fast(self):
        times = []
        for _ in range(15):
            begin = time.perf_counter()
            subprocess.run([os.path.join(BIN, "zq"), "version"], check=True, capture_output=True, timeout=30)
            times.append((time.perf_counter() - begin) * 1000)
        median = statistics.median(times)
        print(f"zq version: median {median:.1f} ms (aim: below 20 ms)")
        self.assertLess(median, 100)


class Ending(Case):
    def test_a_terminated_coordinator_closes_cleanly_and_its_folder_checks(self):
        box = self.box
        coordinator = box.coordinator()
        box.worker("w1", "build", TRUE)
        tasks = [box.submit("build") for _ in range(5)]
        box.zq("wait", *tasks, "--timeout", "30s")
        coordinator.process.terminate()
        self.assertEqual(coordinator.wait(), 0)
        box.check()
        box.coordinator()
        self.assertEqual({box.state_of(task) for task in tasks}, {"completed"})

    def test_a_terminated_worker_finishes_what_runs_and_takes_nothing_new(self):
        box = self.box
        box.coordinator()
        worker = box.worker("w1", "build")
        running = box.submit("build")
        child = box.await_child(running, 1)
        worker.process.terminate()
        await_that(lambda: "drain" in worker.output().lower(), "the worker says that it drains")
        later = box.submit("build")
        self.assertTrue(is_alive(child))
        box.let_go()
        self.assertEqual(worker.wait(), 0)
        self.assertEqual(box.attempts_of(running), [(1, "completed")])
        self.assertEqual(box.state_of(later), "queued")
        self.assertEqual(box.zq("worker", "ls", "-q"), "")

    def test_a_running_task_that_is_cancelled_ends_cancelled_and_its_child_is_dead(self):
        box = self.box
        box.coordinator()
        box.worker("w1", "build", flags=("--grace", "300ms"))
        task = box.submit("build")
        child = box.await_child(task, 1)
        box.zq("cancel", task, "--reason", "not needed")
        box.zq("wait", task, "--timeout", "30s", ok=(11,))
        self.assertEqual(box.state_of(task), "cancelled")
        await_that(lambda: not is_alive(child), "the child is dead")

    def test_a_wait_with_a_time_limit_gives_up_on_a_coordinator_that_is_not_there(self):
        # Without a limit of its own it would try for 30 s.
        self.box.run(["zq", "wait", "x", "--timeout", "1s"], ok=(6,), seconds=20)


class Dev(Case):
    def test_dev_runs_a_coordinator_and_a_worker_until_it_is_interrupted(self):
        box = self.box
        dev = box.spawn("dev", ["zq", "dev", "--data", box.path("dev"), "--bind", box.bind, "--artifacts-bind",
                                box.artifacts_bind, "--role", "echo", "--", "/bin/sh", "-c", 'echo "hello $ZQ_ROLE"'])
        box.zq("ping")
        task = box.submit("echo")
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.zq("result", task), "hello echo")
        dev.signal(signal.SIGINT)
        self.assertIn(dev.wait(30), (0, 130))
        box.data = box.path("dev")
        box.check()


class Expiry(Case):
    def test_a_ttl_that_passes_in_the_queue_expires_the_task(self):
        box = self.box
        box.coordinator()
        task = box.submit("nobody", "--ttl", "300ms")
        box.zq("wait", task, "--timeout", "30s", ok=(12,))
        self.assertEqual(box.state_of(task), "expired")
        self.assertIn(task, box.zq("dlq"))

    def test_the_higher_priority_is_claimed_first(self):
        box = self.box
        box.coordinator()
        for name, priority in (("low-one", "low"), ("urgent-one", "urgent"), ("normal-one", "normal")):
            box.submit("build", "--id", name, "--priority", priority)
        order = [json.loads(box.zq("claim", "--role", "build", "--json"))["id"] for _ in range(3)]
        self.assertEqual(order, ["urgent-one", "normal-one", "low-one"])


if __name__ == "__main__":
    main()
