#!/usr/bin/python3
"""Pauses, limits, rates, caps and capabilities, with real programs: what holds a task back does so, says so, outlives the coordinator,
and lets it go again; nothing else is held back with it."""

import datetime
import json

from zq_e2e import Case, await_that, main

CONFIG = """
[limits]
open_per_client = 3

[roles.slow.limits]
concurrency = 1
rate = "60/m:5"

[limit_keys."*"]
concurrency = 7
"""


def ms_of(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000


class Limited(Case):
    """What the classes below share. The children of its workers run until they are let go."""

    def why(self, task):
        """The rule that holds a task, and what is said of it."""
        row = self.why_row(task)
        return row["rule"], row["why"]

    def why_row(self, task):
        return self.box.rows("why", task)[0]

    def await_rule(self, task, rule):
        """Waits until this rule holds the task, and gives what is said of it."""
        def holds():
            found, text = self.why(task)
            return text if found == rule else ""
        return await_that(holds, f"{task} is held by {rule}")

    def await_leases(self, count):
        await_that(lambda: len(self.box.rows("leases")) == count, f"{count} tasks run")

    def await_worker(self, name):
        await_that(lambda: name in self.box.zq("worker", "ls", "-q").split(), f"{name} is connected")

    def refused(self, *argv, code, exit_code=7):
        """The message of a command that is refused so."""
        done = self.box.run(["zq", *argv, "--json"], ok=(exit_code,))
        error = json.loads(done.stderr.decode().splitlines()[-1])["error"]
        self.assertEqual(error["code"], code, error)
        return error["message"]

    def most_at_once(self, tasks):
        """How many children of these tasks ran at one time."""
        moves = []
        for task in tasks:
            for times in self.box.lives(task).values():
                moves += [(times[0], 1), (times[-1], -1)]
        most = now = 0
        for _, step in sorted(moves):
            now += step
            most = max(most, now)
        return most

    def starts_of(self, tasks):
        return sorted(ms_of(self.box.show(task)["started_at"]) for task in tasks)

    def assert_within_rate(self, starts, interval_ms, burst):
        """No window has more starts than the bucket gives. Late is no fault: a machine may be busy."""
        for i, first in enumerate(starts):
            for j in range(i + burst, len(starts)):
                least = (j - i + 1 - burst) * interval_ms - 1  # times are whole milliseconds
                self.assertGreaterEqual(starts[j] - first, least, f"starts {i} to {j} of {starts}")


class Pauses(Limited):
    def test_a_paused_role_holds_its_tasks_over_a_kill_and_lets_them_go(self):
        box = self.box
        coordinator = box.coordinator()
        box.worker("w", "review")
        self.await_worker("w")
        runs = box.submit("review")
        box.await_child(runs, 1)
        box.zq("role", "pause", "review", "--reason", "the model is down")
        held = box.submit("review")
        other = box.submit("build")
        self.assertEqual(self.why(held), ("paused", "role review is paused: the model is down (`zq role resume`)"))
        self.assertEqual(self.why(other)[0], "no_worker")
        coordinator.kill()
        box.coordinator()
        self.await_worker("w")
        box.let_go()
        box.zq("wait", runs, "--timeout", "60s")  # what runs goes on
        await_that(lambda: box.rows("worker", "ls")[0]["free"] == 1, "the worker is idle")
        self.assertEqual(self.why(held), ("paused", "role review is paused: the model is down (`zq role resume`)"))
        self.refused("claim", "--role", "review", code="NOTHING_TO_CLAIM", exit_code=8)
        role = json.loads(box.zq("queue", "show", "review", "--json"))
        self.assertEqual((role["schema"], role["state"], role["queued"]), ("zq/role/v1", "paused", 1))
        self.assertEqual(box.zq("role", "resume", "review", "--fields", "id,state"), "review  open")
        box.zq("wait", held, "--timeout", "60s")

    def test_a_draining_role_refuses_what_is_new_and_works_off_what_is_there(self):
        box = self.box
        box.coordinator()
        box.let_go()
        tasks = [box.submit("review") for _ in range(3)]
        box.zq("role", "drain", "review", "--reason", "moves to another machine")
        self.assertIn("role review takes no new tasks (moves to another machine)",
                      self.refused("submit", "--to", "review", code="DRAINING"))
        self.refused("submit", "--to", "build,review", code="DRAINING")
        box.worker("w", "review")
        box.zq("wait", *tasks, "--timeout", "60s")
        self.assertEqual(box.rows("role", "ls")[0]["state"], "draining")
        box.zq("role", "resume", "review")
        box.zq("wait", box.submit("review"), "--timeout", "60s")

    def test_a_purge_cancels_what_waits_and_nothing_that_runs(self):
        box = self.box
        box.coordinator()
        box.worker("w", "review")
        runs = box.submit("review")
        box.await_child(runs, 1)
        queued, later = box.submit("review"), box.submit("review", "--delay", "1h")
        other = box.submit("build")
        box.run(["zq", "role", "purge", "review"], ok=(2,))
        self.assertEqual(box.zq("role", "purge", "review", "--dry-run", "-q").split(), [queued, later])
        box.zq("role", "purge", "review", "--state", "scheduled", "--yes")
        self.assertEqual([box.state_of(task) for task in (later, queued)], ["cancelled", "queued"])
        box.zq("role", "purge", "review", "--yes", "--reason", "not needed")
        self.assertEqual([box.state_of(task) for task in (queued, runs, other)], ["cancelled", "running", "queued"])
        self.assertEqual(box.show(queued)["reason"], "not needed")


class Concurrency(Limited):
    def test_a_role_never_runs_more_at_a_time_than_it_may(self):
        box = self.box
        box.coordinator()
        box.zq("role", "limit", "review", "--concurrency", "2")
        box.worker("w", "review", flags=("--slots", "4"))
        tasks = [box.submit("review") for _ in range(6)]
        self.await_leases(2)
        for task in tasks[:2]:
            box.await_child(task, 1)
        self.assertEqual(self.await_rule(tasks[2], "concurrency"), "role review runs 2 tasks, as many as it may")
        self.assertEqual(box.rows("worker", "ls")[0]["free"], 2)
        box.let_go()
        box.zq("wait", *tasks, "--timeout", "60s")
        self.assertEqual(self.most_at_once(tasks), 2)

    def test_a_limit_key_holds_for_all_roles_together(self):
        box = self.box
        box.coordinator()
        box.zq("limit", "set", "account-7", "--concurrency", "1", "--reason", "one at a time")
        for role in ("review", "build"):
            box.worker(role, role, flags=("--slots", "2"))
            self.await_worker(role)
        first = box.submit("review", "--limit-key", "account-7")
        box.await_child(first, 1)
        second = box.submit("build", "--limit-key", "account-7")
        free = box.submit("build", "--limit-key", "account-8")
        box.await_child(free, 1)
        self.assertEqual(self.why(second), ("concurrency", "limit key account-7 runs 1 task, as many as it may"))
        row = next(row for row in box.rows("limit", "ls") if row["id"] == "account-7")
        self.assertEqual((row["ready"], row["running"], row["limited"]), (1, 1, "concurrency 1"))
        box.let_go()
        box.zq("wait", first, second, free, "--timeout", "60s")
        self.assertEqual(self.most_at_once([first, second]), 1)
        self.assertIn("limit key     account-7", box.zq("show", first))

    def test_submitters_take_turns_however_much_each_has_waiting(self):
        box = self.box
        box.coordinator()
        box.zq("role", "pause", "review")
        box.worker("w", "review", ["/bin/true"])
        self.await_worker("w")
        lines = box.write("tasks.jsonl", '{"to":"review","from":"a"}\n' * 200)
        box.zq("batch", "-f", lines, "-q")
        last = box.submit("review", "--from", "b")
        box.zq("role", "resume", "review")
        box.zq("wait", last, "--timeout", "60s")
        at = ms_of(box.show(last)["started_at"])
        begun = [row for row in box.rows("ls", "--from", "a", "--limit", "300") if row.get("started_at")]
        self.assertLessEqual(len([row for row in begun if ms_of(row["started_at"]) < at]), 2)


class Rates(Limited):
    def test_starts_are_spaced_as_the_rate_says_also_over_a_kill(self):
        box = self.box
        coordinator = box.coordinator()
        box.zq("role", "limit", "review", "--rate", "5/s:2")
        box.let_go()
        tasks = [box.submit("review") for _ in range(10)]
        box.worker("w", "review", flags=("--slots", "10"))
        await_that(lambda: sum("started_at" in box.show(task) for task in tasks) >= 4, "some have started", 60)
        coordinator.kill()
        box.coordinator()
        box.zq("wait", *tasks, "--timeout", "60s")
        self.assert_within_rate(self.starts_of(tasks), 200, 2)

    def test_a_slow_rate_says_when_the_next_may_start_and_is_lifted(self):
        box = self.box
        box.coordinator()
        box.let_go()
        box.zq("limit", "set", "api", "--rate", "1/h")
        box.worker("w", "review")
        first = box.submit("review", "--limit-key", "api")
        box.zq("wait", first, "--timeout", "60s")
        second = box.submit("review", "--limit-key", "api")
        self.assertEqual(self.await_rule(second, "rate"), "limit key api has spent what its rate allows")
        row = self.why_row(second)
        ahead = ms_of(row["until"]) - ms_of(box.show(first)["started_at"])
        self.assertTrue(3_599_000 <= ahead <= 3_601_000, ahead)
        box.zq("limit", "set", "api", "--rate", "none")
        box.zq("wait", second, "--timeout", "60s")

    def test_a_rate_limited_task_holds_the_others_of_its_limit_key(self):
        box = self.box
        box.coordinator()
        agent = box.write("agent.sh", 'if [ $ZQ_TASK_ID = first ]; then echo class=rate_limited >> $ZQ_OUTPUT; exit 1; fi\n')
        box.worker("w", "review", ["/bin/sh", agent])
        box.submit("review", "--id", "first", "--limit-key", "api", "--retry-rule", "rate_limited=wait:10m")
        await_that(lambda: box.state_of("first") == "retry_wait", "it waits for its next attempt")
        second = box.submit("review", "--limit-key", "api")
        box.zq("wait", box.submit("review"), box.submit("review", "--limit-key", "other"), "--timeout", "60s")
        self.assertEqual(self.why(second), ("rate_limited", "limit key api is held since task first was rate limited"))
        row = json.loads(box.zq("limit", "show", "api", "--json"))
        self.assertEqual((row["schema"], row["state"], row["held_by"]), ("zq/limit/v1", "held", "first"))
        box.zq("limit", "resume", "api")
        box.zq("wait", second, "--timeout", "60s")


class Caps(Limited):
    def test_a_role_that_is_full_refuses_and_names_its_bound(self):
        box = self.box
        box.coordinator()
        box.zq("role", "limit", "review", "--max-open", "2")
        box.zq("role", "limit", "build", "--max-bytes", "3KiB")
        task = box.submit("review")
        box.submit("review", "--delay", "1h")
        self.assertIn("2 tasks of role review are open, and it may have 2",
                      self.refused("submit", "--to", "review", code="QUEUE_FULL"))
        done = box.run(["zq", "batch", "-f", "-", "--timeout", "1s"], stdin=b'{"to":"review"}\n', ok=None)
        self.assertNotEqual(done.returncode, 0)
        box.zq("cancel", task)
        box.submit("review")
        context = box.write("context.md", "x" * 2048)
        box.submit("build", "--file", context)
        self.assertRegex(self.refused("submit", "--to", "build", "--file", context, code="QUEUE_FULL"),
                         r"the open tasks of role build hold \d+ bytes, and may hold 3072")
        self.assertGreater(next(row for row in box.rows("role", "ls") if row["id"] == "build")["open_bytes"], 2048)

    def test_the_settings_hold_until_something_else_is_said_and_again_after_it(self):
        box = self.box
        config = box.write("settings.toml", CONFIG)
        coordinator = box.coordinator("--config", config)

        def limits():
            return json.loads(box.zq("role", "show", "slow", "--json"))["limited"]
        self.assertEqual(limits(), "concurrency 1, rate 60/m:5")
        box.zq("role", "limit", "slow", "--concurrency", "2", "--max-open", "50")
        self.assertEqual(limits(), "concurrency 2, rate 60/m:5, max_open 50")
        said = box.run(["zq", "role", "limit", "slow", "--rate", "none", "--dry-run"]).stderr.decode()
        self.assertIn("slow: it would have no rate", said)
        coordinator.kill()
        coordinator = box.coordinator("--config", config)
        self.assertEqual(limits(), "concurrency 2, rate 60/m:5, max_open 50")
        box.zq("role", "limit", "slow", "--reset", "--rate", "none")
        self.assertEqual(limits(), "concurrency 1")
        for _ in range(3):
            box.submit("r", "--limit-key", "any")
        self.assertIn("3 tasks of local are open", self.refused("submit", "--to", "r", code="QUEUE_FULL"))
        self.assertEqual(json.loads(box.zq("limit", "show", "any", "--json"))["limited"], "concurrency 7")

    def test_bad_settings_are_refused_with_their_line(self):
        box = self.box
        for line, wrong in (('rate = "sixty"', "a rate is a count per time"), ("concurrency = -1", "a number from 1 to"),
                            ('max_bytes = "much"', "is not a size"), ("concurency = 2", "concurency")):
            config = box.write("settings.toml", f"\n[roles.r.limits]\n{line}\n")
            done = box.run(["zq-coordinator", "--data", box.data, "--config", config], ok=(2,))
            self.assertRegex(done.stderr.decode(), r"settings\.toml:3:?")
            self.assertIn(wrong, done.stderr.decode())
        box.coordinator()
        for flags in (("--rate", "1/fortnight"), ("--concurrency", "0"), ("--max-bytes", "lots"), ("--max-open", "-1")):
            box.run(["zq", "role", "limit", "r", *flags], ok=(2,))
        box.run(["zq", "limit", "pause", "*"], ok=(2,))
        box.run(["zq", "worker", "drain", "nobody"], ok=(3,))


class Workers(Limited):
    def test_a_task_that_needs_a_label_goes_to_the_worker_that_has_it(self):
        box = self.box
        box.coordinator()
        box.let_go()
        box.worker("plain", "review", flags=("--label", "gpu", "--slots", "4"))
        self.await_worker("plain")
        needs = [box.submit("review", "--needs", "region=eu,gpu") for _ in range(3)]
        other = box.submit("review")
        box.zq("wait", other, "--timeout", "60s")
        self.assertEqual(self.why(needs[0]),
                         ("labels", "none of the 1 worker of review has the labels it needs: gpu, region=eu"))
        box.worker("both", "review", flags=("--label", "gpu", "--label", "region=eu"))
        box.zq("wait", *needs, "--timeout", "60s")
        self.assertEqual([box.show(task)["worker"] for task in (*needs, other)], ["both"] * 3 + ["plain"])
        rows = {row["id"]: row.get("labels") for row in box.rows("worker", "ls")}
        self.assertEqual(rows, {"plain": ["gpu"], "both": ["gpu", "region=eu"]})
        self.assertIn("needs         region=eu", box.zq("show", needs[0]))

    def test_a_paused_worker_gets_nothing_and_a_drained_one_ends_when_it_is_done(self):
        box = self.box
        box.coordinator()
        worker = box.worker("w", "review")
        self.await_worker("w")
        runs = box.submit("review")
        box.await_child(runs, 1)
        self.assertEqual(box.zq("worker", "pause", "w"), "w  paused")
        box.let_go(runs)
        box.zq("wait", runs, "--timeout", "60s")
        held = box.submit("review")
        self.assertEqual(self.await_rule(held, "workers_paused"), "all 1 worker of review that could take it are paused or drain")
        self.assertEqual(box.zq("worker", "resume", "w"), "w  active")
        box.await_child(held, 1)
        self.assertEqual(box.zq("worker", "drain", "w", "--reason", "new driver"), "w  draining")
        last = box.submit("review")
        self.assertFalse(worker.ended())
        box.let_go(held)
        self.assertEqual(worker.wait(60), 0)
        self.assertEqual([box.state_of(task) for task in (held, last)], ["completed", "queued"])
        box.let_go()
        box.worker("w", "review")  # the same name and state folder
        box.zq("wait", last, "--timeout", "60s")


if __name__ == "__main__":
    main()
