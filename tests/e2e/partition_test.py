#!/usr/bin/python3
"""Coordinator and workers as hosts of their own (network namespaces, own addresses, CURVE keys by
init, invite and join), with the link cut in mid-task. Needs root."""

import os
import re
import subprocess
import unittest

from zq_e2e import Case, await_that, is_alive, is_frozen, main

LEASE = ("--lease", "2s", "--heartbeat", "400ms")


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


def namespaces_work() -> bool:
    if os.geteuid() != 0:
        return False
    name = f"zqt{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("netns", "del", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


class Hosts:
    """A coordinator's host and two workers' hosts, each with a cable to it."""

    def __init__(self, test: unittest.TestCase):
        tag = os.getpid() % 100000
        self.server = f"zq{tag}s"
        self.workers = [f"zq{tag}w1", f"zq{tag}w2"]
        for host in [self.server, *self.workers]:
            ip("netns", "add", host)
            test.addCleanup(ip, "netns", "del", host)
            ip("-n", host, "link", "set", "lo", "up")
        self.addresses = []
        for number, host in enumerate(self.workers, start=1):
            cable = f"c{tag}n{number}"
            ip("link", "add", cable, "netns", self.server, "type", "veth", "peer", "name", "eth0", "netns", host)
            ip("-n", self.server, "addr", "add", f"10.77.{number}.1/24", "dev", cable)
            ip("-n", host, "addr", "add", f"10.77.{number}.2/24", "dev", "eth0")
            ip("-n", self.server, "link", "set", cable, "up")
            ip("-n", host, "link", "set", "eth0", "up")
            self.addresses.append(f"10.77.{number}.1")
        self.tag = tag

    @staticmethod
    def on(host: str) -> tuple:
        return ("ip", "netns", "exec", host)

    def cut(self, number: int) -> None:
        ip("-n", self.server, "link", "set", f"c{self.tag}n{number}", "down")

    def heal(self, number: int) -> None:
        ip("-n", self.server, "link", "set", f"c{self.tag}n{number}", "up")


@unittest.skipUnless(namespaces_work(), "needs root and network namespaces")
class Partition(Case):
    def setUp(self):
        super().setUp()
        self.hosts = Hosts(self)
        box = self.box
        self.admin = box.env(ZQ_CONFIG=box.path("admin/config.toml"), ZQ_CONNECT=None)
        box.run(["zq", "init", "--data", box.data, "--bind", "tcp://0.0.0.0:5570",
                 "--artifacts-bind", "tcp://0.0.0.0:5571"], env=self.admin)
        argv = ["zq-coordinator", "--data", box.data, *LEASE]
        box.spawn("coordinator", argv, prefix=self.hosts.on(self.hosts.server))
        self.zq("ping")
        self.joined = [self.join(number) for number in (1, 2)]

    def zq(self, *argv: str, **run) -> str:
        """`zq` on the coordinator's host, as its admin."""
        return self.box.zq(*argv, env=self.admin, prefix=self.hosts.on(self.hosts.server), **run)

    def join(self, number: int) -> dict:
        """Invites a worker's host and has it join; gives its environment."""
        box, host = self.box, self.hosts.workers[number - 1]
        line = self.zq("invite", "--role", "build", "--connect", f"tcp://{self.hosts.addresses[number - 1]}:5570")
        join = re.search(r"zq join .*", line)[0].split()
        env = box.env(ZQ_CONFIG=box.path(f"host{number}/config.toml"), ZQ_CONNECT=None)
        box.run(join, env=env, prefix=self.hosts.on(host))
        return env

    def worker(self, number: int):
        host = self.hosts.workers[number - 1]
        return self.box.worker(f"w{number}", "build", env=self.joined[number - 1], prefix=self.hosts.on(host))

    def show(self, task: str) -> dict:
        return self.box.show(task, env=self.admin, prefix=self.hosts.on(self.hosts.server))

    def await_confirmed(self, task: str) -> None:
        await_that(lambda: '"confirmed":true' in self.zq("leases", "--json"), f"the lease of {task} is confirmed")

    def attempts(self, task: str) -> list:
        return [(each["attempt"], each["outcome"]) for each in self.show(task).get("attempts", [])]

    def test_a_child_is_frozen_behind_a_cut_link_and_completes_attempt_1_when_nobody_else_got_it(self):
        box = self.box
        self.worker(1)
        task = self.zq("submit", "-q", "--to", "build")
        child = box.await_child(task, 1)
        self.await_confirmed(task)
        self.hosts.cut(1)
        await_that(lambda: is_frozen(child), "the child is frozen before its lease ends")
        # Longer than the lease: the coordinator has given it up.
        await_that(lambda: self.show(task)["state"] == "queued", "the coordinator counts the lease as lost")
        self.assertTrue(is_frozen(child))
        self.hosts.heal(1)
        await_that(lambda: is_alive(child) and not is_frozen(child), "the child is thawed", 60)
        box.let_go()
        self.zq("wait", task, "--timeout", "60s", seconds=90)
        self.assertEqual(self.attempts(task), [(1, "completed")])
        self.assertEqual(self.zq("result", task), f"{task} attempt 1")
        self.assertEqual(len(box.lives(task)), 1)

    def test_a_frozen_child_is_killed_as_stale_when_another_worker_got_the_task(self):
        box = self.box
        self.worker(1)
        task = self.zq("submit", "-q", "--to", "build")
        first = box.await_child(task, 1)
        self.await_confirmed(task)
        self.worker(2)
        await_that(lambda: len(self.zq("worker", "ls", "-q").split()) == 2, "both workers are connected")
        self.hosts.cut(1)
        box.await_child(task, 2, seconds=30)
        self.assertTrue(is_frozen(first), "frozen before another one began")
        self.hosts.heal(1)
        await_that(lambda: not is_alive(first), "the first child is killed as stale", 60)
        box.let_go()
        self.zq("wait", task, "--timeout", "60s", seconds=90)
        self.assertEqual(self.attempts(task), [(1, "lost"), (2, "completed")])
        self.assertEqual(self.zq("result", task), f"{task} attempt 2")
        box.assert_never_two_at_once(task)

    def test_a_task_crosses_the_network_and_its_result_comes_back(self):
        box = self.box
        self.worker(2)
        context = box.write("context.md", "Carry this across.\n")
        task = self.zq("submit", "-q", "--to", "build", "--file", context)
        box.let_go()
        self.zq("wait", task, "--timeout", "60s", seconds=90)
        self.assertEqual(self.zq("result", task), f"{task} attempt 1")
        # A host without a known key gets nothing.
        stranger = box.env(ZQ_CONFIG=box.path("stranger/config.toml"), ZQ_CONNECT="tcp://10.77.1.1:5570")
        box.run(["zq", "ls"], env=stranger, prefix=self.hosts.on(self.hosts.workers[0]), ok=(4, 6), seconds=90)


if __name__ == "__main__":
    main()
