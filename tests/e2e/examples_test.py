#!/usr/bin/python3
"""The examples that users copy: the client and worker in Python, the worker in C++. Real programs, a coordinator
that dies under them."""

import os
import signal
import sys
import unittest

from zq_e2e import BIN, SOURCE, Case, await_that, main

sys.path.insert(0, os.path.join(SOURCE, "examples/python"))
try:
    import zq
except ImportError:  # python3-zmq or python3-msgpack is not there
    zq = None

GREETER = os.path.join(SOURCE, "examples/python/greeter.py")
SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")
WORKER = """
import os, sys, time
sys.path.insert(0, {folder!r})
from zq_worker import Worker

def work(task):
    with open({begun!r}, "a") as begun:
        begun.write(f"{{task.attempt}}\\n")
    while not os.path.exists({go!r}):
        if task.stopped:
            return None
        time.sleep(0.01)
    return b"x" * 1_000_000

Worker({bind!r}, ["slow"], work, state={state!r}).run()
"""


@unittest.skipIf(zq is None, "needs python3-zmq and python3-msgpack")
class PythonExample(Case):
    def slow_worker(self):
        box = self.box
        code = WORKER.format(folder=os.path.dirname(GREETER), begun=box.path("begun"), go=box.path("go"),
                             bind=box.bind, state=box.path("python-worker"))
        return box.spawn("slow", [sys.executable, "-c", code])

    def client(self):
        client = zq.Client(self.box.bind)
        self.addCleanup(client.close)
        return client

    def begun(self) -> int:
        try:
            with open(self.box.path("begun"), encoding="utf-8") as begun:
                return len(begun.readlines())
        except FileNotFoundError:
            return 0

    def test_a_worker_of_twenty_lines_greets_a_client_of_three(self):
        box = self.box
        box.coordinator()
        greeter = box.spawn("greeter", [GREETER, box.path("greeter")])
        client = self.client()
        self.assertEqual(client.result(client.submit("greeter", instructions="Ada")), b"Hello, Ada!\n")
        self.assertEqual(box.zq("run", "--to", "greeter", "--instructions", "Grace", "--timeout", "30s"), "Hello, Grace!")
        nobody = client.submit("greeter", max_attempts=1)
        self.assertEqual(client.wait(nobody)["state"], "dead")
        self.assertIn("nobody to greet", client.wait(nobody)["reason"])
        greeter.signal(signal.SIGTERM)
        self.assertEqual(greeter.wait(), 0)

    def test_its_work_outlives_a_killed_coordinator_and_is_reported_once(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        self.slow_worker()
        task = box.submit("slow")
        await_that(lambda: self.begun() == 1, "the handler begins")
        coordinator.kill()
        box.write("go", "")
        box.coordinator(*SHORT_LEASE)
        self.assertEqual(self.client().result(task), b"x" * 1_000_000)
        self.assertEqual(box.attempts_of(task), [(1, "completed")])
        self.assertEqual(self.begun(), 1)

    def test_a_killed_worker_costs_an_attempt_and_loses_nothing(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        worker = self.slow_worker()
        task = box.submit("slow")
        await_that(lambda: self.begun() == 1, "the handler begins")
        worker.kill()
        self.slow_worker()
        await_that(lambda: self.begun() == 2, "the handler begins again")
        box.write("go", "")
        self.assertEqual(len(self.client().result(task)), 1_000_000)
        self.assertEqual(box.attempts_of(task)[-1], (2, "completed"))

    def test_a_cancel_reaches_the_handler(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        self.slow_worker()
        task = box.submit("slow")
        await_that(lambda: self.begun() == 1, "the handler begins")
        box.zq("cancel", task)
        box.zq("wait", task, "--timeout", "30s", ok=None)
        self.assertEqual(box.state_of(task), "cancelled")


class CppExample(Case):
    def test_a_handler_of_twenty_lines_serves_its_role_and_its_summary_and_result_come_back(self):
        box = self.box
        box.coordinator()
        counter = box.spawn("counter", [os.path.join(BIN, "word-counter"), "--connect", box.bind, "--state",
                                        box.path("counter")])
        text = box.zq("run", "--to", "word-count", "--instructions", "to be or not to be", "--timeout", "30s")
        self.assertEqual(text.splitlines(), ["2 be", "1 not", "1 or", "2 to"])
        row = box.rows("ls")[0]
        self.assertEqual(row["summary"], "4 different words")
        counter.signal(signal.SIGTERM)
        self.assertEqual(counter.wait(), 0)


if __name__ == "__main__":
    main()
