#!/usr/bin/python3
"""Looking at the queue on the real programs: events through filters, followed over a restart; lists and bulk verbs by
`--where`; trace ids; figures that survive the coordinator."""

import json
import os
import signal
import subprocess

from zq_e2e import BIN, Case, await_that, main


class Watching(Case):
    def setUp(self):
        super().setUp()
        self.program = self.box.coordinator()

    def restart(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()
        self.program = self.box.coordinator()

    def stop_and_verify(self):
        self.program.signal(signal.SIGTERM)
        self.program.wait()
        self.box.run(["zq", "journal", "verify", "--data", self.box.data])

    def stderr(self, *argv, ok=(0,)):
        return self.box.run(["zq", *argv], ok=ok).stderr.decode()

    def dead(self, task, role="review", *flags):
        self.box.submit(role, "--id", task, "--max-attempts", "1", *flags)
        self.box.zq("fail", task, "--from", "me", "--reason", "no")

    def ids(self, *argv):
        return {row["id"] for row in self.box.rows(*argv)}


class Events(Watching):
    def seen(self, *flags):
        return [(row["id"], row["kind"]) for row in self.box.rows("events", *flags)]

    def test_they_are_filtered_by_the_coordinator_and_nothing_is_missed_after_a_day_away(self):
        box = self.box
        box.submit("review", "--id", "t1", "--group", "night", "--trace-id", "abc")
        box.submit("research", "--id", "t2")
        box.zq("complete", "t1", "--from", "me")
        self.assertEqual(self.seen("--role", "review", "--type", "task_submitted,attempt_ended"),
                         [("t1", "task_submitted"), ("t1", "attempt_ended")])
        self.assertEqual(self.seen("--trace", "abc", "--type", "attempt_ended", "--type", "task_submitted"),
                         self.seen("--group", "night", "--type", "task_submitted,attempt_ended"))
        self.assertEqual(self.seen("--task", "t2"), [("t2", "task_submitted")])
        last = box.rows("events")[-1]["seq"]
        self.restart()
        box.zq("cancel", "t2")
        for number in range(20):
            box.submit("review", "--id", f"more-{number}")
        self.assertEqual(self.seen("--since", str(last), "--role", "research"), [("t2", "task_cancelled")])
        self.assertIn("did you mean task_submitted?", self.stderr("events", "--type", "task_submited", ok=(2,)))
        self.stop_and_verify()

    def test_following_through_a_filter_goes_on_over_a_restart(self):
        box = self.box
        out = box.path("followed.jsonl")
        with open(out, "wb") as file:
            follower = subprocess.Popen(
                [os.path.join(BIN, "zq"), "events", "-f", "--role", "rare", "-o", "jsonl"],
                env=box.env(), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)

        def followed():
            with open(out, encoding="utf-8") as file:
                return [json.loads(line)["id"] for line in file if line.endswith("\n")]

        box.submit("common", "--id", "c1")
        box.submit("rare", "--id", "r1")
        await_that(lambda: followed() == ["r1"], "the first is followed", 30)
        self.restart()
        box.submit("common", "--id", "c2")
        box.submit("rare", "--id", "r2")
        await_that(lambda: followed() == ["r1", "r2"], "the second is followed", 60)
        self.assertIsNone(follower.poll())
        self.stop_and_verify()


class Where(Watching):
    def test_lists_are_narrowed_by_conditions_of_every_kind(self):
        box = self.box
        box.submit("review", "--id", "a", "--label", "team=x", "--type", "reasoning", "--from", "Ann B", "--group", "g")
        box.submit("review", "--id", "b", "--label", "team=y", "--trace-id", "trace-b")
        self.dead("c", "write", "--label", "team=x")
        for where, found in (("label.team=x", {"a", "c"}), ("label.team=x state=dead", {"c"}), ("role=review", {"a", "b"}),
                             ("state=queued,dead", {"a", "b", "c"}), ("type=reasoning", {"a"}), ('from="Ann B"', {"a"}),
                             ("group=g", {"a"}), ("trace=trace-b", {"b"}), ("worker=me", {"c"}), ("since=1h", {"a", "b", "c"}),
                             ("before=1h", set()), ("reason=attempts_exhausted", {"c"})):
            self.assertEqual(self.ids("ls", "--where", where), found, where)
        self.assertEqual(self.ids("ls", "--trace", "trace-b"), {"b"})
        self.assertEqual(self.ids("ls", "--where", "role=review", "--where", "label.team=y"), {"b"})
        self.assertEqual(self.ids("dlq", "ls", "--where", "label.team=x"), {"c"})
        self.assertIn("did you mean state?", self.stderr("ls", "--where", "stat=dead", ok=(2,)))
        box.run(["zq", "ls", "--to", "review", "--where", "role=write"], ok=(2,))
        box.run(["zq", "dlq", "ls", "--where", "state=queued"], ok=(2,))
        self.restart()
        self.assertEqual(self.ids("ls", "--where", "label.team=x"), {"a", "c"})
        self.stop_and_verify()

    def test_many_are_cancelled_after_a_count_and_a_yes(self):
        box = self.box
        for number in range(3):
            box.submit("review", "--id", f"a{number}", "--group", "g", "--label", "team=x")
        box.submit("review", "--id", "b", "--label", "team=x")
        box.submit("review", "--id", "done", "--group", "g")
        box.zq("complete", "done", "--from", "me")
        self.assertIn("3 tasks: 3 of review queued", self.stderr("cancel", "--group", "g", ok=(2,)))
        self.assertIn("dry run: 3 would be cancelled", self.stderr("cancel", "--group", "g", "--dry-run"))
        self.assertEqual(self.ids("ls", "--state", "queued"), {"a0", "a1", "a2", "b"})
        self.assertIn("3 of 3 are cancelled", self.stderr("cancel", "--group", "g", "--reason", "not now", "--yes"))
        self.assertEqual(box.show("a1")["reason"], "not now")
        self.assertEqual(self.ids("ls", "--state", "queued"), {"b"})
        box.run(["zq", "cancel", "--where", "state=dead", "--yes"], ok=(2,))
        box.run(["zq", "cancel", "b", "--group", "g"], ok=(2,))
        box.run(["zq", "cancel"], ok=(2,))
        box.run(["zq", "cancel", "b", "--yes"], ok=(2,))
        box.run(["zq", "cancel", "--where", " ", "--yes"], ok=(2,))
        box.zq("cancel", "--where", "label.team=x role=review", "--yes")
        self.assertEqual(box.state_of("b"), "cancelled")
        box.zq("retry", "--where", "state=cancelled label.team=x", "--yes")
        self.assertEqual(self.ids("ls", "--state", "queued"), {"a0", "a1", "a2", "b"})
        self.stop_and_verify()

    def test_dead_letters_are_taken_by_conditions(self):
        for task, team in (("a", "x"), ("b", "x"), ("c", "y")):
            self.dead(task, "review", "--label", f"team={team}")
        self.assertEqual(len(self.box.zq("dlq", "export", "--where", "label.team=x").splitlines()), 2)
        self.box.zq("dlq", "replay", "--where", "label.team=x", "--yes")
        self.assertEqual(self.ids("dlq", "ls"), {"c"})
        self.box.run(["zq", "dlq", "purge", "--where", "label.team=y"], ok=(2,))
        self.box.run(["zq", "dlq", "rm"], ok=(2,))
        self.box.run(["zq", "dlq", "rm", "--where", "label.team=y"], ok=(2,))
        self.box.zq("dlq", "rm", "--where", "label.team=y", "--yes")
        self.assertEqual(self.ids("dlq", "ls"), set())
        self.stop_and_verify()

    def test_a_trace_id_is_made_taken_from_a_traceparent_and_shown(self):
        box = self.box
        box.submit("review", "--id", "t1")
        made = box.show("t1")["trace_id"]
        self.assertRegex(made, "^[0-9a-f]{32}$")
        self.assertEqual(json.loads(box.zq("status", "t1", "--json"))["trace_id"], made)
        self.assertIn(made, box.zq("show", "t1"))
        box.submit("review", "--id", "t1")
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        box.submit("review", "--id", "t2", "--traceparent", f"00-{trace}-00f067aa0ba902b7-01")
        self.assertEqual(box.show("t2")["trace_id"], trace)
        self.assertEqual([row["id"] for row in box.rows("events", "--trace", trace)], ["t2"])
        box.run(["zq", "submit", "--to", "review", "--traceparent", "00-1-2-3"], ok=(2,))
        box.run(["zq", "submit", "--to", "review", "--traceparent", f"00-{trace}-00f067aa0ba902b7-01",
                 "--trace-id", "x"], ok=(2,))
        self.stop_and_verify()


class Stats(Watching):
    def test_figures_are_kept_over_a_kill(self):
        box = self.box
        usage = box.write("result.md", "done\n")
        for number in range(3):
            box.submit("review", "--id", f"t{number}", "--type", "reasoning")
        box.zq("complete", "t0", "--from", "ann", "--result-file", usage)
        self.dead("t3")
        box.zq("dlq", "replay", "t3")
        self.dead("t4")
        before = json.loads(box.zq("stats", "--json"))
        self.restart()
        after = json.loads(box.zq("stats", "--json"))
        for key in ("submitted", "completed", "failed", "dead", "dlq", "dlq_growth", "depth", "run_p99_ms", "wait_p50_ms"):
            self.assertEqual(after[key], before[key], key)
        self.assertEqual((after["submitted"], after["completed"], after["failed"]), (5, 1, 2))
        self.assertEqual((after["dead"], after["dlq"], after["dlq_growth"]), (2, 1, 1))
        self.assertEqual(after["depth"], {"queued": 3})
        self.assertEqual(after["failure_permille"], 667)
        rows = {row["id"]: row for row in box.rows("stats", "--by", "role", "--window", "24h")}
        self.assertEqual(rows["review"]["queued"], 3)
        self.assertEqual({row["id"] for row in box.rows("stats", "--by", "type")}, {"reasoning", "-"})
        self.assertEqual({row["id"] for row in box.rows("stats", "--by", "worker")}, {"ann", "me"})
        self.assertIn("review", box.zq("stats", "--by", "role"))
        box.run(["zq", "stats", "--by", "colour"], ok=(2,))
        box.run(["zq", "stats", "--window", "1m"], ok=(2,))
        self.stop_and_verify()


if __name__ == "__main__":
    main()
