#!/usr/bin/python3
"""Retention on the real programs: what is past its age goes, what is referred to stays and can be read, the disk
shrinks, a dry run says what the pass then does, and a kill in the middle only delays it."""

import hashlib
import json
import os
import signal
import unittest

from zq_e2e import Case, await_that, main

LARGE = 200_000  # bytes of an artifact that lies in a file


class Retention(Case):
    def settings(self, text):
        return self.box.write("settings.toml", text)

    def gc(self, *flags):
        """{(kind, role): (count, bytes)}"""
        rows = self.box.rows("gc", *flags)
        return {(row["kind"], row["role"]): (row["count"], row["bytes"]) for row in rows}

    def gc_by_rule(self, *flags):
        """{(kind, rule): bytes}"""
        return {(row["kind"], row["rule"]): row["bytes"] for row in self.box.rows("gc", *flags)}

    def has(self, task):
        return self.box.run(["zq", "show", task], ok=(0, 3)).returncode == 0

    def files(self):
        root = os.path.join(self.box.data, "artifacts")
        return {name for folder, _, names in os.walk(root) for name in names
                if os.path.basename(folder) != "incoming"}

    def submit_large(self, task, role="nobody"):
        data = os.urandom(LARGE // 2).hex().encode()
        path = self.box.path(task)
        with open(path, "wb") as file:
            file.write(data)
        self.box.submit(role, "--id", task, "--file", path)
        return hashlib.sha256(data).hexdigest()

    def finish(self, task):
        self.box.zq("complete", task, "--summary", "done", "--from", "me")

    def verify(self):
        self.box.run(["zq", "journal", "verify", "--data", self.box.data])

    def stop(self, program):
        program.signal(signal.SIGTERM)
        program.wait()

    def test_a_finished_task_goes_with_its_content_and_an_open_ones_content_stays(self):
        box = self.box
        program = box.coordinator("--config", self.settings(
            '[retention]\nunreferenced = "1s"\n[roles.short.retention]\nfinished = "1s"\n'))
        gone, kept, other = (self.submit_large("gone", "short"), self.submit_large("kept", "short"),
                             self.submit_large("other", "long"))
        self.finish("gone")
        self.finish("other")
        self.assertEqual(self.files(), {gone, kept, other})
        await_that(lambda: not self.has("gone"), "the task is removed", 30)
        await_that(lambda: self.files() == {kept, other}, "its content is removed", 30)
        # Its id is free again; the others are as they were.
        box.submit("short", "--id", "gone", "--instructions", "anew")
        for task in ("kept", "other"):
            name = box.rows("artifact", "ls", task)[0]["name"]
            self.assertEqual(len(box.run(["zq", "artifact", "cat", task, name]).stdout), LARGE)
        self.stop(program)
        self.verify()

    def test_a_dry_run_says_what_the_pass_does_and_removes_nothing(self):
        box = self.box
        program = box.coordinator("--config", self.settings('[retention]\nunreferenced = "1h"\n'))
        for number in range(3):
            self.submit_large(f"t{number}", "short")
            self.finish(f"t{number}")
        self.assertEqual(self.gc(), {})
        self.stop(program)
        # Ages that no clock reaches by itself here: a pass comes after an eighth of the shortest.
        program = box.coordinator("--config", self.settings('[retention]\nfinished = "3s"\n'))
        before = self.files()
        await_that(lambda: self.gc("--dry-run") or not self.has("t0"), "they are due", 30)
        dry = self.gc("--dry-run")
        if dry:  # the clock's own pass has not come first
            self.assertEqual(dry, {("tasks", "short"): dry["tasks", "short"]})
        self.gc()
        # Those that ended later are due later.
        await_that(lambda: not any(self.has(f"t{number}") for number in range(3)), "they are gone", 30)
        self.assertEqual(self.gc("--dry-run"), {})
        self.assertEqual(self.files(), before)  # their contents have their 24 hours
        self.stop(program)
        self.verify()

    def test_artifacts_past_their_age_leave_a_record_that_says_so(self):
        box = self.box
        program = box.coordinator("--config", self.settings(
            '[retention]\nunreferenced = "1s"\nartifacts = "2s"\nlogs = "2s"\n'))
        box.worker("w", "work", ["sh", "-c", f"head -c {LARGE} /dev/zero > $ZQ_OUT/big; echo said"])
        box.submit("work", "--id", "t", "--instructions", "work")
        box.zq("wait", "t", "--timeout", "60s")
        await_that(lambda: not self.files(), "the content is removed", 60)
        self.assertIn("big", str(box.show("t")))
        fetched = box.run(["zq", "artifact", "cat", "t", "big"], ok=(3,))
        self.assertIn(b"is not kept any more: removed ", fetched.stderr)
        self.stop(program)
        self.verify()

    def finish_with(self, task, role, size=LARGE):
        """Hands an artifact over with its end."""
        path = self.box.path("handed")
        with open(path, "wb") as file:
            file.write(os.urandom(size // 2).hex().encode())
        self.box.submit(role, "--id", task, "--instructions", "work")
        self.box.zq("complete", task, "--from", "me", "--summary", "done", "--artifact", f"out.txt={path}")

    def role(self, name):
        status = json.loads(self.box.zq("status", "-o", "json"))
        return next(row for row in status["roles"] if row["id"] == name)

    def test_above_a_roles_bytes_the_oldest_lose_their_artifacts_and_every_tool_says_so(self):
        box = self.box
        quiet = box.coordinator()
        for number in range(4):
            self.finish_with(f"t{number}", "bounded")
        self.finish_with("other", "free")
        self.assertEqual(self.role("bounded")["kept"], 4)
        self.assertEqual(self.role("bounded")["kept_bytes"], 4 * LARGE)
        self.stop(quiet)
        program = box.coordinator("--config", self.settings(
            f'[retention]\nunreferenced = "1s"\n[roles.bounded.retention]\nfinished_bytes = "{2 * LARGE + 1}"\n'))
        dry = self.gc_by_rule("--dry-run", "--role", "bounded")
        if dry:  # the clock's own pass has not come first
            self.assertEqual(dry, {("artifacts", "bytes"): 2 * LARGE})
        self.gc()
        self.assertEqual(self.role("bounded")["kept_bytes"], 2 * LARGE)
        self.assertEqual(self.role("bounded")["kept"], 4)
        self.assertEqual(self.role("free")["kept_bytes"], LARGE)
        await_that(lambda: len(self.files()) == 3, "two contents are removed", 30)
        for task in ("t2", "t3", "other"):
            self.assertEqual(len(box.run(["zq", "artifact", "cat", task, "out.txt"]).stdout), LARGE)
            self.assertNotIn("removed", box.show(task))
        for task in ("t0", "t1"):
            shown = box.show(task)
            self.assertEqual([(row["kind"], row["rule"]) for row in shown["removed"]], [("artifacts", "bytes")])
            self.assertEqual(shown["artifacts"][0]["removed_rule"], "bytes")
            self.assertRegex(box.zq("show", task), r"out\.txt .* removed .*, its role held too many bytes")
            for command in (("artifact", "cat", task, "out.txt"), ("artifact", "get", task, "out.txt"),
                            ("artifact", "verify", task), ("result", task, "--verify")):
                refused = box.run(["zq", *command], ok=(3,))
                self.assertRegex(refused.stderr.decode(), f"out.txt of {task} is not kept any more: removed 2.*Z, its role")
        self.assertEqual(box.zq("result", "t0").strip(), "done")  # the summary is in the record
        self.assertEqual(self.gc_by_rule("--role", "bounded"), {})
        self.stop(program)
        self.verify()

    def test_what_is_dead_goes_by_a_bound_of_its_own_and_ages_come_first(self):
        box = self.box
        quiet = box.coordinator()
        for task in ("d0", "d1"):
            path = box.write("evidence", task * 50_000)
            box.submit("r", "--id", task, "--instructions", "work")
            box.zq("fail", task, "--from", "me", "--permanent", "--reason", "no", "--artifact", f"why={path}")
        self.finish_with("f0", "r")
        self.assertEqual(self.role("r")["dead_bytes"], 200_000)
        self.stop(quiet)
        program = box.coordinator("--config", self.settings(
            '[retention]\ndead_bytes = "150000"\nfinished_bytes = "1B"\nartifacts = "1s"\n'))
        await_that(lambda: "removed" in box.show("f0"), "the finished one's artifacts are removed", 30)
        self.gc()
        self.assertEqual(box.show("f0")["removed"][0]["rule"], "age")
        self.assertFalse(self.has("d0"))
        self.assertTrue(self.has("d1"))
        self.assertEqual(self.role("r")["dead_bytes"], 100_000)
        self.stop(program)
        self.verify()

    def test_kills_in_the_middle_only_delay_it(self):
        box = self.box
        quiet = box.coordinator("--config", self.settings('[retention]\nunreferenced = "1h"\n'))
        gone = {self.submit_large(f"t{number}", "short") for number in range(12)}
        kept = self.submit_large("kept", "short")
        for number in range(12):
            self.finish(f"t{number}")
        self.stop(quiet)
        settings = self.settings('[retention]\nunreferenced = "1s"\nfinished = "1s"\n')
        for _ in range(5):
            program = box.coordinator("--config", settings)
            box.run(["zq", "gc"], ok=None)
            program.signal(signal.SIGKILL)
            program.wait()
        program = box.coordinator("--config", settings)
        await_that(lambda: self.files() == {kept}, f"{len(gone)} contents are removed", 60)
        self.stop(program)
        self.verify()


if __name__ == "__main__":
    main()
