#!/usr/bin/python3
"""Approvals, with real programs: what waits for a person's word holds neither lease nor slot, survives the coordinator, and is bound to
what was approved; work that cannot be undone is never repeated by itself."""

import json

from zq_e2e import Case, await_that, main

CONFIG = """
[roles.deploy.approval]
required = "before"
side_effects = "irreversible"

[types.payment.approval]
required = "before"
timeout = "1s"
"""


class Approvals(Case):
    def question(self, task):
        return self.box.show(task)["questions"][-1]

    def test_a_task_starts_when_it_is_approved_and_not_before(self):
        box = self.box
        box.coordinator()
        box.worker("w", "review", ["true"])
        first = box.submit("review", "--approval", "before", "--instructions", "delete the old tables")
        other = box.submit("review")
        box.zq("wait", other)
        self.assertEqual(box.state_of(first), "input_required", "it holds no slot: the other one ran")
        row = next(row for row in box.rows("approvals") if row["id"] == first)
        self.assertEqual((row["kind"], row["choices"]), ("approval", ["approve", "reject"]))
        self.assertEqual(box.rows("why", first)[0]["rule"], "approval")
        done = box.run(["zq", "approve", first, "--digest", "0000"], ok=(5,))
        self.assertIn(row["digest"], done.stderr.decode())
        box.zq("approve", first, "--digest", row["digest"][:12], "--note", "read every table")
        box.zq("wait", first)
        answer = self.question(first)
        self.assertEqual((answer["choice"], answer["answer"], answer["answered_by"]), ("approve", "read every table", "local"))
        box.run(["zq", "approve", first], ok=(5,))

    def test_a_rejection_says_why_and_a_replay_asks_anew(self):
        box = self.box
        box.coordinator()
        task = box.submit("review", "--approval", "before")
        box.run(["zq", "reject", task], ok=(2,))
        box.zq("reject", task, "--note", "not on a Friday")
        shown = box.show(task)
        self.assertEqual((shown["state"], shown["dead_reason"]), ("dead", "rejected"))
        self.assertIn("not on a Friday", shown["reason"])
        box.zq("dlq", "replay", task)
        self.assertEqual(box.state_of(task), "input_required")

    def test_a_result_counts_when_it_is_approved(self):
        box = self.box
        coordinator = box.coordinator()
        box.worker("w", "write", ["sh", "-c", "echo found > $ZQ_OUT/result.md"])
        task = box.submit("write", "--approval", "after")
        report = box.submit("write", "--after", task)
        await_that(lambda: box.state_of(task) == "in_review", "its result waits")
        self.assertEqual(box.state_of(report), "blocked")
        coordinator.kill()
        box.coordinator()
        self.assertEqual(box.state_of(task), "in_review")
        box.zq("approve", task)
        box.zq("wait", task, report)
        self.assertIn("found", box.zq("result", task))

    def test_the_configuration_decides_for_a_role_and_a_type_and_labels_for_a_task(self):
        box = self.box
        box.write("config.toml", CONFIG)
        box.coordinator("--config", box.path("config.toml"))
        box.worker("w", "deploy", ["sh", "-c", "exit 3"])
        task = box.submit("deploy", "--approval", "none", "--max-attempts", "5")
        self.assertEqual(box.state_of(task), "input_required", "nobody speaks against the configuration")
        box.zq("approve", task)
        box.run(["zq", "wait", task], ok=(10,))
        self.assertEqual(box.attempts_of(task), [(1, "failed")], "what cannot be undone is not repeated by itself")
        late = box.submit("pay", "--type", "payment")
        box.run(["zq", "wait", late], ok=(10,))
        self.assertIn("nobody approved it", box.show(late)["reason"])
        own = box.submit("other", "--label", "side_effects=irreversible")
        self.assertEqual(box.state_of(own), "input_required")

    def test_the_submitter_does_not_approve_where_another_one_is_asked(self):
        box = self.box
        box.coordinator()
        task = box.submit("review", "--approval", "before", "--approver", "other")
        done = box.run(["zq", "approve", task, "--json"], ok=(4,))
        self.assertEqual(json.loads(done.stderr.decode().splitlines()[-1])["error"]["code"], "DENIED")
        box.zq("cancel", task)
        self.assertEqual(box.state_of(task), "cancelled")

    def test_wrong_words_are_refused_with_what_is_right(self):
        box = self.box
        box.coordinator()
        for flags in (("--approval", "maybe"), ("--approver", "me"), ("--approval-timeout", "soon")):
            box.run(["zq", "submit", "--to", "review", *flags], ok=(2,))
        box.write("config.toml", '[roles.deploy.approval]\nrequired = "perhaps"\n')
        done = box.run(["zq-coordinator", "--data", box.path("other"), "--config", box.path("config.toml")], ok=None)
        self.assertIn("before, after or none", done.stderr.decode() + done.stdout.decode())


if __name__ == "__main__":
    main()
