#!/usr/bin/python3
"""Budgets, with real programs: an attempt that spends more than its task may is stopped while it runs, a person grants as much
again, and the task goes on from its checkpoint; or it is dead, where that was wished."""

import os

from zq_e2e import BIN, Case, await_that, main

# Spends 600 tokens a step, and goes on from the last step that was saved.
SPENDER = """
step=$(zq checkpoint get --name step 2>/dev/null || echo 0)
trap 'exit 143' TERM
while [ "$step" -lt 3 ]; do
    step=$((step + 1))
    printf '%s' "$step" > step.txt
    zq checkpoint put step.txt --name step
    zq usage add --input-tokens 500 --output-tokens 100 --model small
    [ "$step" -eq 3 ] && break
    if [ "$step" -eq 2 ] && [ "$ZQ_ATTEMPT" -eq 1 ]; then sleep 60 & wait; fi
done
echo "all $step steps" > $ZQ_OUT/result.md
"""


class Budgets(Case):
    def worker(self):
        env = self.box.env(PATH=f"{BIN}:{os.environ['PATH']}")
        path = self.box.write("agent.sh", "set -e\n" + SPENDER)
        return self.box.worker("w", "r", ["/bin/sh", path], flags=("--grace", "2s"), env=env)

    def test_a_task_that_has_used_up_its_budget_waits_for_a_person_and_goes_on_from_its_checkpoint(self):
        box = self.box
        coordinator = box.coordinator()
        self.worker()
        task = box.submit("r", "--budget-tokens", "1000")
        row = await_that(lambda: box.rows("approvals"), "the budget is asked about")[0]
        self.assertEqual((row["id"], row["state"], row["kind"]), (task, "input_required", "budget"))
        self.assertIn("1200 of 1000 tokens", row["question"])
        self.assertEqual(box.attempts_of(task), [(1, "released")])
        box.run(["zq", "wait", task, "--timeout", "1s"], ok=(9,))
        coordinator.kill()
        box.coordinator()
        box.run(["zq", "answer", task, "perhaps"], ok=(2,))
        box.zq("answer", task, "continue")
        box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(box.zq("result", task), "all 3 steps")
        shown = box.show(task)
        self.assertEqual((shown["spent"]["tokens"], shown["budget"]["tokens"]), (1800, 2200))
        self.assertEqual(box.attempts_of(task), [(1, "released"), (2, "completed")])

    def test_a_task_that_shall_not_ask_is_dead_with_reason_budget(self):
        box = self.box
        box.coordinator()
        self.worker()
        task = box.submit("r", "--budget-tokens", "1000", "--on-budget", "dead")
        box.run(["zq", "wait", task, "--timeout", "60s"], ok=(10,))
        shown = box.show(task)
        self.assertEqual((shown["dead_reason"], shown["failures"]), ("budget", 0))
        self.assertIn("1200 of 1000 tokens", shown["reason"])
        self.assertIn("budget", box.zq("dlq", "ls"))

    def test_a_person_may_end_it_instead(self):
        box = self.box
        box.coordinator()
        self.worker()
        task = box.submit("r", "--budget-tokens", "1000")
        await_that(lambda: box.rows("approvals"), "the budget is asked about")
        box.zq("answer", task, "stop")
        self.assertEqual((box.state_of(task), box.show(task)["dead_reason"]), ("dead", "budget"))

    def test_what_is_no_budget_is_refused_and_nothing_is_submitted(self):
        box = self.box
        box.coordinator()
        for flags in (["--budget-usd", "much"], ["--budget-usd", "0"], ["--budget-tokens", "-1"], ["--on-budget", "dead"],
                      ["--budget-tokens", "10", "--on-budget", "panic"]):
            refused = box.run(["zq", "submit", "--to", "r", "--instructions", "x", *flags], ok=(2,))
            self.assertIn(flags[-2], refused.stderr.decode())
        self.assertEqual(box.rows("ls"), [])


if __name__ == "__main__":
    main()
