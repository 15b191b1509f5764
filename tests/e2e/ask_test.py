#!/usr/bin/python3
"""Questions for people, with real programs: an attempt that waits for its answer (also while the coordinator is away), one
that parks its task, answers that come twice or never; and what attempts used of models, summed up."""

import glob
import json
import os
import unittest

from zq_e2e import BIN, Case, await_that, main

SHORT_LEASE = ("--lease", "3s", "--heartbeat", "500ms")


class Asking(Case):
    def worker(self, text: str, *flags: str, name: str = "w"):
        env = self.box.env(PATH=f"{BIN}:{os.environ['PATH']}")
        path = self.box.write(f"agent-{name}.sh", "set -e\n" + text)
        return self.box.worker(name, "r", ["/bin/sh", path], flags=("--grace", "2s", *flags), env=env)

    def await_question(self, task: str) -> dict:
        return await_that(lambda: [row for row in self.box.rows("approvals") if row["id"] == task],
                          f"{task} asks")[0]

    def result(self, task: str) -> str:
        return self.box.zq("result", task)


class AskWaiting(Asking):
    def test_the_answer_is_printed_to_the_attempt_that_waits(self):
        self.box.coordinator()
        self.worker('zq ask "Delete them?" --choice yes --choice no > $ZQ_OUT/result.md\n')
        task = self.box.submit("r")
        row = self.await_question(task)
        self.assertEqual((row["state"], row["question"], row["choices"]), ("running", "Delete them?", ["yes", "no"]))
        refused = self.box.run(["zq", "answer", task, "perhaps"], ok=(2,))
        self.assertIn("yes, no", refused.stderr.decode())
        self.box.zq("answer", task, "--choice", "yes", "all but one")
        self.box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(self.result(task), "yes\nall but one\n".rstrip("\n"))
        shown = self.box.show(task)
        self.assertEqual([attempt["outcome"] for attempt in shown["attempts"]], ["completed"])
        self.assertEqual([(q["state"], q["choice"], q["answer"]) for q in shown["questions"]],
                         [("answered", "yes", "all but one")])
        self.assertEqual(self.box.rows("approvals"), [])
        self.box.run(["zq", "answer", task, "no"], ok=(5,))

    def test_a_question_survives_a_coordinator_that_is_away(self):
        coordinator = self.box.coordinator()
        self.worker('until [ -e "$HOME/away" ]; do sleep 0.05; done\n'
                    'zq ask "Which?" --json > $ZQ_OUT/result.json\n')
        task = self.box.submit("r")
        await_that(lambda: self.box.state_of(task) == "running", "the task runs")
        coordinator.kill()
        self.box.write("away", "")
        await_that(lambda: glob.glob(self.box.path("state-w/attempts/*/.alive")), "its worker has heard the question")
        coordinator = self.box.coordinator()
        self.await_question(task)
        coordinator.kill()
        self.box.coordinator()
        self.await_question(task)
        self.box.zq("answer", task, "the second")
        self.box.zq("wait", task, "--timeout", "60s")
        answer = json.loads(self.result(task))
        self.assertEqual((answer["state"], answer["answer"]), ("answered", "the second"))
        self.assertEqual(self.box.attempts_of(task), [(1, "completed")])

    def test_without_an_answer_in_time_it_ends_with_a_code_of_its_own(self):
        self.box.coordinator()
        self.worker('set +e; zq ask "Anybody?" --timeout 1s; echo "$?" > $ZQ_OUT/result.md\n')
        task = self.box.submit("r")
        self.box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(self.result(task), "14")
        self.assertEqual(self.box.show(task)["questions"][0]["state"], "no_answer")

    def test_a_cancel_ends_the_wait(self):
        self.box.coordinator(*SHORT_LEASE)
        self.worker('trap "" TERM; set +e; zq ask "Go on?"; echo "$?" > "$HOME/code"\n')
        task = self.box.submit("r")
        self.await_question(task)
        self.box.zq("cancel", task)
        self.box.zq("wait", task, "--timeout", "30s", ok=None)
        self.assertEqual(self.box.state_of(task), "cancelled")
        self.assertEqual(self.box.show(task)["questions"][0]["state"], "withdrawn")

    def test_outside_of_a_task_nobody_asks(self):
        self.box.coordinator()
        refused = self.box.run(["zq", "ask", "Why?"], ok=(2,))
        self.assertIn("inside a task", refused.stderr.decode())


class AskParked(Asking):
    AGENT = ('if [ -e answers.json ]; then\n'
             '  cp answers.json $ZQ_OUT/answers.json; cat prompt.md > $ZQ_OUT/prompt.md\n'
             '  zq checkpoint get --name plan > $ZQ_OUT/result.md; exit 0\n'
             'fi\n'
             'echo "plan A" > f; zq checkpoint put f --name plan\n'
             'zq ask --park "Which account?" --timeout ${PARK_FOR:-1h}\n'
             'exec sleep 600\n')

    def test_a_parked_task_holds_nothing_and_goes_on_with_the_answer(self):
        self.box.coordinator()
        self.worker(self.AGENT, "--linger", "500ms")
        task = self.box.submit("r", "--max-attempts", "1")
        await_that(lambda: self.box.state_of(task) == "input_required", "the task is parked")
        self.assertEqual(self.box.rows("leases"), [])
        self.assertEqual(self.box.rows("worker", "ls")[0]["free"], 1)
        self.assertEqual(self.await_question(task)["state"], "input_required")
        self.box.run(["zq", "wait", task, "--timeout", "100ms"], ok=(8, 9))
        self.assertEqual(self.box.run(["zq", "answer", task, "number 7"]).returncode, 0)
        self.box.zq("wait", task, "--timeout", "30s")
        shown = self.box.show(task)
        self.assertEqual((shown["state"], shown.get("failures", 0)), ("completed", 0))
        self.assertEqual(self.box.attempts_of(task), [(1, "released"), (2, "completed")])
        self.assertEqual(self.result(task), "plan A")
        answers = json.loads(self.box.zq("artifact", "cat", task, "answers.json"))
        self.assertEqual([(q["question"], q["answer"]) for q in answers["questions"]],
                         [("Which account?", "number 7")])
        prompt = self.box.zq("artifact", "cat", task, "prompt.md")
        self.assertIn("## Answers to what earlier attempts asked", prompt)
        self.assertIn("number 7", prompt)
        self.box.zq("answer", task, "number 7")
        self.box.run(["zq", "answer", task, "number 8"], ok=(5,))

    def test_a_parked_task_goes_on_without_an_answer_when_its_time_is_over(self):
        self.box.coordinator()
        self.worker("PARK_FOR=1s\n" + self.AGENT, "--linger", "500ms")
        task = self.box.submit("r")
        self.box.zq("wait", task, "--timeout", "60s")
        answers = json.loads(self.box.zq("artifact", "cat", task, "answers.json"))
        self.assertEqual([q["state"] for q in answers["questions"]], ["no_answer"])
        self.assertIn("there is no answer", self.box.zq("artifact", "cat", task, "prompt.md"))


class UsageSums(Asking):
    def test_usage_is_summed_by_task_role_model_and_group(self):
        self.box.coordinator()
        self.worker('zq usage add --cost-usd 0.000001 --input-tokens 1000 --output-tokens 10 --model $ZQ_TYPE\n'
                    'echo "cost_usd=0.0912345" >> $ZQ_OUTPUT\n'
                    '[ $ZQ_ATTEMPT = 2 ] || [ $ZQ_TYPE = small ]\n')
        small = self.box.submit("r", "--type", "small", "--group", "g")
        large = self.box.submit("r", "--type", "large", "--backoff", "none")
        for task in (small, large):
            self.box.zq("wait", task, "--timeout", "30s")

        def sums(*flags: str) -> dict:
            return {row["id"]: (row["attempts"], row["cost_usd_micros"], row["input_tokens"])
                    for row in self.box.rows("usage", *flags)}

        self.assertEqual(sums("--by", "model"), {"small": (1, 91_236, 1000), "large": (2, 182_472, 2000)})
        self.assertEqual(sums("--by", "task", "--role", "r"),
                         {small: (1, 91_236, 1000), large: (2, 182_472, 2000)})
        self.assertEqual(sums("--by", "group"), {"g": (1, 91_236, 1000), "-": (2, 182_472, 2000)})
        self.assertEqual(sums("--by", "role", "--group", "g"), {"r": (1, 91_236, 1000)})
        one = json.loads(self.box.zq("usage", large, "--json"))
        self.assertEqual((one["cost_usd"], one["output_tokens"]), ("0.182472", 20))
        self.box.run(["zq", "usage", "nobody"], ok=(3,))


if __name__ == "__main__":
    main()
