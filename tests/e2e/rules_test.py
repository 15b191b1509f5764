#!/usr/bin/python3
"""Time and retry, with real programs: a task that starts no earlier than it may, one that is ended by its deadline, failures that
are told apart, and work that is not run twice after its worker was lost."""

import datetime
import os

from zq_e2e import PATIENCE, Case, await_that, main


def in_seconds(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Rules(Case):
    def worker(self, script, name="w", flags=()):
        path = self.box.write(f"agent-{name}.sh", script)
        return self.box.worker(name, "r", ["/bin/sh", path], flags=("--grace", "1s", *flags))

    def test_a_task_starts_no_earlier_than_its_time_also_over_a_restart(self):
        box = self.box
        coordinator = box.coordinator()
        self.worker("date -u +%Y-%m-%dT%H:%M:%S.%3NZ > $ZQ_OUT/result.md\n")
        at = in_seconds(3)
        task = box.submit("r", "--at", at)
        self.assertEqual(box.state_of(task), "scheduled")
        coordinator.kill()
        box.coordinator()
        box.zq("wait", task, "--timeout", "60s")
        self.assertGreaterEqual(box.zq("result", task).strip(), at)

    def test_a_deadline_ends_what_runs_and_what_never_started(self):
        box = self.box
        box.coordinator()
        never = box.submit("nobody", "--deadline", "2s")
        self.worker("echo $ZQ_DEADLINE > $ZQ_OUT/seen.md\nsleep 600\n")
        await_that(lambda: box.rows("worker", "ls"), "the worker is there")
        runs = box.submit("r", "--deadline", f"{int(3 * PATIENCE)}s")
        box.run(["zq", "wait", runs, "--timeout", "100s"], ok=(10,), seconds=120)
        shown = box.show(runs)
        self.assertEqual((shown["state"], shown["dead_reason"]), ("dead", "timed_out"))
        box.run(["zq", "wait", never, "--timeout", "60s"], ok=(12,))
        self.assertIn("deadline", box.show(never)["reason"])
        ended = [e for e in box.rows("events", "--task", runs) if e["kind"] == "attempt_ended"]
        self.assertEqual(ended[0]["fields"]["failure"], "timed_out")

    def test_a_rate_limit_uses_no_attempt_and_is_waited_for_as_long_as_it_says(self):
        box = self.box
        box.coordinator()
        self.worker('if [ "$ZQ_ATTEMPT" -lt 4 ]; then\n'
                    '  printf "class=rate_limited\\nretry_after=1s\\n" >> $ZQ_OUTPUT; exit 1\nfi\necho in > $ZQ_OUT/result.md\n')
        task = box.submit("r", "--max-attempts", "1")
        box.zq("wait", task, "--timeout", "60s")
        shown = box.show(task)
        self.assertEqual((shown["state"], shown["failures"], len(shown["attempts"])), ("completed", 0, 4))

    def test_a_rule_of_the_task_says_what_follows_from_an_exit_code(self):
        box = self.box
        box.coordinator()
        self.worker("exit $ZQ_TYPE\n")
        dead = box.submit("r", "--retry-rule", "exit:3=dead", "--type", "3")
        held = box.submit("r", "--retry-rule", "exit:4=hold", "--type", "4")
        box.run(["zq", "wait", dead, "--timeout", "60s"], ok=(10,))
        self.assertEqual(box.show(dead)["failures"], 1)
        await_that(lambda: box.state_of(held) == "input_required", "a person is asked")
        row = box.rows("approvals")[0]
        self.assertEqual((row["id"], row["kind"]), (held, "hold"))
        self.assertIn("exit code 4", row["question"])
        box.zq("answer", held, "stop")
        self.assertEqual(box.show(held)["dead_reason"], "rejected")

    def test_what_must_not_run_twice_waits_for_a_person_after_its_worker_was_lost(self):
        box = self.box
        box.coordinator("--lease", f"{int(2 * PATIENCE)}s", "--heartbeat", "500ms")
        ran = box.path("ran")
        worker = self.worker(f"echo ran >> {ran}\nexec sleep 60\n")
        task = box.submit("r", "--on-lost", "hold")
        await_that(lambda: os.path.exists(ran) and os.path.getsize(ran), "it runs, and not only for the coordinator")
        worker.kill()
        await_that(lambda: box.state_of(task) == "input_required", "a person is asked", 60)
        self.worker(f"echo ran >> {ran}\necho done > $ZQ_OUT/result.md\n", "w2")
        box.run(["zq", "wait", task, "--timeout", "1s"], ok=(9,))
        with open(ran, encoding="utf-8") as file:
            self.assertEqual(file.read(), "ran\n")
        box.zq("answer", task, "retry")
        box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(box.zq("result", task).strip(), "done")

    def test_bad_values_are_refused_and_named(self):
        box = self.box
        box.coordinator()
        for flags in (["--at", "tomorrow"], ["--deadline", "soon"], ["--retry-rule", "exit:0=dead"], ["--retry-rule", "odd=dead"],
                      ["--retry-rule", "error=panic"], ["--retry-rule", "error=dead:5s"], ["--on-lost", "panic"],
                      ["--stall-timeout", "x"], ["--max-lost", "0"]):
            refused = box.run(["zq", "submit", "--to", "r", "--instructions", "x", *flags], ok=(2,))
            self.assertIn(flags[0], refused.stderr.decode())
        self.assertEqual(box.rows("ls"), [])


if __name__ == "__main__":
    main()
