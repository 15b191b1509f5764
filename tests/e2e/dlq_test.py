#!/usr/bin/python3
"""The dead-letter queue on the real programs: what is dead is listed, shown, repaired, run again one by one and in
bulk, exported and removed; finished work is retried; nothing of it is lost with the coordinator."""

import json
import signal

from zq_e2e import Case, main


class DeadLetters(Case):
    def setUp(self):
        super().setUp()
        self.program = self.box.coordinator()

    def kill_and_go_on(self):
        self.program.signal(signal.SIGKILL)
        self.program.wait()
        self.program = self.box.coordinator()

    def stop_and_verify(self):
        self.program.signal(signal.SIGTERM)
        self.program.wait()
        self.box.run(["zq", "journal", "verify", "--data", self.box.data])

    def dead(self, task, role="review", reason="no such folder", flags=()):
        self.box.submit(role, "--id", task, "--instructions", "look", "--max-attempts", "1")
        self.box.zq("fail", task, "--from", "me", "--reason", reason, *flags)

    def ids(self, *flags):
        return {row["id"] for row in self.box.rows("dlq", "ls", *flags)}

    def stderr(self, *argv, ok=(0,)):
        return self.box.run(["zq", *argv], ok=ok).stderr.decode()

    def events(self, task, kind):
        return [event for event in self.box.show(task)["events"] if event["kind"] == kind]

    def test_a_dead_task_is_repaired_and_ends_well_in_spite_of_a_kill(self):
        box = self.box
        self.dead("t1")
        self.assertEqual(self.ids(), {"t1"})
        self.assertIn("no such folder", box.zq("dlq", "show", "t1"))
        box.zq("dlq", "edit", "t1", "--instructions", "look at src/auth", "--max-attempts", "2",
               "--because", "a typing error")
        self.assertEqual(box.state_of("t1"), "dead")
        self.assertEqual(box.show("t1")["envelope"]["instructions"], "look at src/auth")
        edited = self.events("t1", "task_edited")
        self.assertEqual(edited[0]["fields"]["changed"], "instructions, max_attempts")
        self.assertEqual(edited[0]["fields"]["reason"], "a typing error")
        self.assertIn("instructions, max_attempts, by local", box.zq("show", "t1"))
        box.zq("dlq", "replay", "t1", "--because", "it is there now")
        self.kill_and_go_on()
        box.worker("w1", "review", ["sh", "-c", "cp $ZQ_TASK_DIR/prompt.md $ZQ_RESULT"])
        box.zq("wait", "t1", "--timeout", "60s")
        self.assertIn("look at src/auth", box.zq("result", "t1"))
        self.assertEqual(box.attempts_of("t1"), [(1, "failed"), (2, "completed")])
        # The submit, said again as it was, is still the same one; another is not.
        box.submit("review", "--id", "t1", "--instructions", "look", "--max-attempts", "1")
        box.run(["zq", "submit", "--to", "review", "--id", "t1", "--instructions", "other"], ok=(5,))
        self.stop_and_verify()

    def test_edit_and_replay_are_one_step_if_asked_and_may_change_the_role(self):
        box = self.box
        self.dead("t1")
        box.zq("dlq", "edit", "t1", "--payload", '{"folder": "src"}', "--to", "second", "--replay")
        self.assertEqual(box.state_of("t1"), "queued")
        claimed = json.loads(box.zq("claim", "--role", "second", "--json"))
        self.assertEqual((claimed["id"], claimed["attempt"]), ("t1", 2))
        box.run(["zq", "dlq", "edit", "t1", "--priority", "high"], ok=(5,))
        box.run(["zq", "dlq", "edit", "t1"], ok=(2,))
        self.stop_and_verify()

    def test_many_are_replayed_by_what_they_are_after_a_count_and_a_yes(self):
        box = self.box
        for number in range(3):
            self.dead(f"a{number}")
        self.dead("b0", flags=("--permanent",))
        self.dead("c0", role="write")
        self.assertEqual(self.ids("--reason", "permanent"), {"b0"})
        self.assertEqual(self.ids("--role", "review", "--limit", "2"), {"a2", "b0"})
        self.assertEqual(self.ids("--before", "1h"), set())
        self.assertEqual(len(self.ids("--since", "1h")), 5)
        bulk = ("dlq", "replay", "--role", "review", "--reason", "attempts_exhausted")
        self.assertIn("3 tasks: 3 of review attempts_exhausted", self.stderr(*bulk, ok=(2,)))
        self.assertIn("dry run: 3 would be queued again", self.stderr(*bulk, "--dry-run"))
        self.assertEqual(len(self.ids()), 5)
        said = self.stderr(*bulk, "--yes", "--rate", "20/s")
        self.assertIn("3 of 3 are queued again", said)
        self.assertEqual(self.ids(), {"b0", "c0"})
        box.run(["zq", "dlq", "replay", "--reason", "permanant", "--yes"], ok=(2,))
        box.run(["zq", "dlq", "replay"], ok=(2,))
        box.run(["zq", "dlq", "replay", "b0", "--all"], ok=(2,))
        self.stop_and_verify()

    def test_what_is_purged_is_gone_and_what_is_exported_is_whole(self):
        box = self.box
        for task in ("t1", "t2", "t3"):
            self.dead(task)
        box.zq("dlq", "export", "--out", box.path("dead.jsonl"))
        with open(box.path("dead.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line["id"] for line in lines], ["t1", "t2", "t3"])
        self.assertEqual(lines[0]["envelope"]["instructions"], "look")
        self.assertEqual(lines[0]["attempts"][0]["reason"], "no such folder")
        self.assertEqual(lines[0]["dead_reason"], "attempts_exhausted")
        self.assertEqual(len(box.zq("dlq", "export", "t2").splitlines()), 1)
        box.zq("dlq", "rm", "t1", "--because", "a trial")
        box.run(["zq", "show", "t1"], ok=(3,))
        removed = [event for event in box.rows("events") if event["kind"] == "task_removed"]
        self.assertEqual((removed[0]["id"], removed[0]["identity"]), ("t1", "local"))
        self.assertEqual(removed[0]["fields"]["reason"], "a trial")
        box.run(["zq", "dlq", "purge", "--all"], ok=(2,))
        box.zq("dlq", "purge", "--all", "--yes")
        self.assertEqual(self.ids(), set())
        self.kill_and_go_on()
        self.assertEqual(self.ids(), set())
        box.submit("review", "--id", "t1", "--instructions", "its id is free")
        self.stop_and_verify()

    def test_a_finished_task_is_retried_and_keeps_what_it_was(self):
        box = self.box
        box.submit("review", "--id", "t1", "--instructions", "look")
        box.zq("complete", "t1", "--from", "me", "--summary", "first")
        box.run(["zq", "dlq", "replay", "t1"], ok=(5,))
        box.run(["zq", "dlq", "rm", "t1"], ok=(5,))
        box.zq("retry", "t1", "--because", "look again")
        self.assertEqual(box.state_of("t1"), "queued")
        box.run(["zq", "retry", "t1"], ok=(5,))
        self.kill_and_go_on()
        box.zq("complete", "t1", "--from", "me", "--summary", "second")
        shown = box.show("t1")
        self.assertEqual(shown["summary"], "second")
        self.assertEqual([attempt["summary"] for attempt in shown["attempts"]], ["first", "second"])
        replayed = self.events("t1", "task_replayed")[0]
        self.assertEqual((replayed["fields"]["was"], replayed["fields"]["reason"]), ("completed", "look again"))
        self.stop_and_verify()

    def test_checkpoints_are_kept_unless_it_begins_afresh(self):
        box = self.box
        plan = box.write("plan.md", "1. look")
        for task, flags, kept in (("t1", (), 1), ("t2", ("--fresh",), 0),
                                  ("t3", ("--fresh", "--with-checkpoint"), 1)):
            box.submit("review", "--id", task, "--instructions", "look", "--max-attempts", "1")
            lease = json.loads(box.zq("claim", "--role", "review", "--json"))
            self.assertEqual(lease["id"], task)
            box.zq("checkpoint", "put", task, plan)
            box.zq("fail", task, "--reason", "no")
            box.zq("dlq", "replay", task, *flags)
            self.assertEqual(len(box.show(task)["checkpoints"]), kept, task)
            box.zq("complete", task, "--from", "me")
        self.stop_and_verify()


if __name__ == "__main__":
    main()
