#!/usr/bin/python3
"""The eight command lines that zq set out from, as they were printed, with `zq` for their tool: tasks and
results as files of a shared folder."""

import json

from zq_e2e import Case, await_that, main


class Seeds(Case):
    def setUp(self):
        super().setUp()
        box = self.box
        box.zq("init", "--data", box.data, "--bind", box.bind, "--artifacts-bind", box.artifacts_bind)
        box.coordinator()
        self.context = box.write("shared/tasks/task-123.md", "# Scoped change\n\nImplement it and run tests.\n")
        self.report = box.write("shared/results/task-123.md", "# Done\n\nImplemented; 12 tests pass.\n")

    def submit_implementation(self, *flags: str) -> str:
        return self.box.submit(
            "implementation-worker", "--type", "implementation", "--file", self.context, *flags
        )

    def complete(self, task: str, *flags: str, ok: tuple = (0,)) -> str:
        return self.box.zq(
            "complete", task, "--from", "implementation-worker", "--result-file", self.report,
            "--summary", "Implemented and tested", *flags, ok=ok,
        )

    def test_submit_status_complete_and_result_without_a_claim(self):
        box = self.box
        self.assertEqual(self.submit_implementation("--id", "task-123"), "task-123")
        self.assertIn("queued", box.zq("status", "task-123"))
        box.run(["zq", "result", "task-123"], ok=(8,))
        self.complete("task-123")
        self.assertIn("completed", box.zq("status", "task-123"))
        self.assertEqual(box.zq("result", "task-123"), "# Done\n\nImplemented; 12 tests pass.")
        shown = box.show("task-123")
        self.assertEqual(shown["summary"], "Implemented and tested")
        self.assertEqual(box.attempts_of("task-123"), [(1, "completed")])
        # Saying it again is safe; another result is a conflict.
        self.complete("task-123")
        box.write("shared/results/task-123.md", "something else\n")
        self.complete("task-123", ok=(5,))

    def test_submit_claim_heartbeat_and_complete(self):
        box = self.box
        task = self.submit_implementation()
        claimed = json.loads(box.zq("claim", "--role", "implementation-worker", "--json"))
        self.assertEqual(claimed["id"], task)
        box.run(["zq", "claim", "--role", "implementation-worker"], ok=(8,))
        box.zq("heartbeat", task)
        self.complete(task)
        self.assertEqual(box.state_of(task), "completed")

    def test_a_task_that_another_one_claimed_cannot_be_completed(self):
        box = self.box
        task = self.submit_implementation()
        box.zq("claim", "--role", "implementation-worker", env=box.env(HOME=box.path("other"), XDG_STATE_HOME=box.path("other")))
        self.complete(task, ok=(5,))
        self.assertEqual(box.state_of(task), "running")

    def test_submit_by_instructions_alone_and_a_role_that_nobody_serves_warns(self):
        done = self.box.run(["zq", "submit", "--to", "review-worker", "--type", "reasoning",
                             "--instructions", "Review this architecture and identify risks."])
        self.assertRegex(done.stdout.decode(), r"^t-[0-9a-z]{26}\s+queued\s+review-worker")
        self.assertIn(b"review-worker", done.stderr)

    def test_fail_and_the_dead_letters(self):
        box = self.box
        self.submit_implementation("--id", "task-123", "--max-attempts", "1")
        box.zq("fail", "task-123", "--from", "implementation-worker", "--reason", "Could not reproduce the issue")
        self.assertEqual(box.state_of("task-123"), "dead")
        letters = box.zq("dlq")
        self.assertIn("task-123", letters)
        self.assertIn("attempts_exhausted", letters)
        self.assertIn("Could not reproduce the issue", box.zq("show", "task-123"))
        box.run(["zq", "result", "task-123"], ok=(10,))
        box.run(["zq", "wait", "task-123", "--timeout", "5s"], ok=(10,))

    def test_a_failure_that_is_not_the_last_is_tried_again(self):
        box = self.box
        self.submit_implementation("--id", "task-123", "--backoff", "none")
        box.zq("fail", "task-123", "--from", "implementation-worker", "--reason", "The network was away")
        await_that(lambda: box.state_of("task-123") == "queued", "the task is queued again")
        self.complete("task-123")
        self.assertEqual(box.attempts_of("task-123"), [(1, "failed"), (2, "completed")])


if __name__ == "__main__":
    main()
