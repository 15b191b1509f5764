"""The journal as evidence: what a coordinator wrote is read, proved, exported and restored without it."""
import calendar
import hashlib
import json
import os
import shutil
import subprocess
import time
import unittest

from zq_e2e import SOURCE, Case, await_that, main


class Journal(Case):
    """One life of real programs, then their folder."""

    def live(self):
        """A coordinator with ended, running and waiting tasks, stopped in good order."""
        coordinator = self.box.coordinator()
        worker = self.box.worker("w", "review", ["sh", "-c", "echo found"])
        context = self.box.write("context.md", "what it is about\n" * 4000)
        for name in ("one", "two"):
            self.box.submit("review", "--id", name, "--instructions", "Look at it.", "--file", context)
        self.box.zq("wait", "one", "two")
        self.box.submit("research", "--id", "waiting", "--instructions", "Nobody does this.")
        self.box.submit("byhand", "--id", "held", "--instructions", "Held by hand.")
        self.box.zq("claim", "--role", "byhand", "--lease", "1h")
        worker.signal(15)
        worker.wait()
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)

    def journal(self, verb, *flags, data=None, **run):
        return self.box.zq("journal", verb, "--data", data or self.box.data, *flags, **run)

    def test_says_what_it_holds_and_verifies(self):
        self.live()
        info = json.loads(self.journal("info", "--json"))
        self.assertEqual((info["format"], info["epoch"], info["first_seq"]), (8, 1, 1))
        self.assertEqual(info["newest_anchor"]["chain_head"], info["chain_head"])
        self.assertEqual(info["tasks"], {"completed": 2, "queued": 1, "running": 1})
        verdict = json.loads(self.journal("verify", "--json"))
        self.assertEqual((verdict["state"], verdict["problems"]), ("clean", []))
        self.assertEqual(verdict["chain_head"], info["chain_head"])
        # A head that was kept elsewhere is one of this journal's, or the journal is not what it was.
        middle = json.loads(self.journal("export").splitlines()[3])["hash"]
        for head in (info["chain_head"], middle):
            self.journal("verify", "--head", head)
        done = self.box.run(["zq", "journal", "verify", "--data", self.box.data, "--head", "ab" * 32], ok=(20,))
        self.assertIn("cut before it, or written anew", done.stderr.decode())

    def test_every_event_is_exported_with_a_chain_that_anybody_can_follow(self):
        self.live()
        private = self.journal("export")
        assigned = next(json.loads(line) for line in private.splitlines() if json.loads(line)["kind"] == "task_assigned")
        self.assertRegex(assigned["body"]["lease"]["holder"]["worker"], "^worker-[0-9a-f]{8}$")
        events = [json.loads(line) for line in self.journal("export", "--places").splitlines()]
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        submit = next(event for event in events if event["kind"] == "task_submitted" and event["id"] == "one")
        self.assertEqual(submit["body"]["spec"]["instructions"], "Look at it.")
        head = bytes(32)
        for event in events:
            kind = KINDS.index(event["kind"])
            texts = [(event["namespace"], 1), (event.get("id", ""), 2), (event["identity"], 2)]
            header = event["seq"].to_bytes(8, "big") + milliseconds(event["at"]).to_bytes(8, "big")
            header += event["epoch"].to_bytes(4, "big") + kind.to_bytes(2, "big") + event["version"].to_bytes(2, "big")
            for text, size in texts:
                header += len(text.encode()).to_bytes(size, "big") + text.encode()
            head = hashlib.sha256(head + header + bytes.fromhex(event["body_digest"])).digest()
            self.assertEqual(head.hex(), event["hash"])
        only = [json.loads(line) for line in self.journal("export", "--task", "two").splitlines()]
        self.assertEqual({event["id"] for event in only}, {"two"})

    def test_a_changed_byte_is_named_with_exit_code_20(self):
        self.live()
        path = os.path.join(self.box.data, "journal.db")
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content.replace(b"Nobody does this.", b"Nobody did  this."))
        done = self.box.run(["zq", "journal", "verify", "--data", self.box.data], ok=(20,))
        self.assertIn(b"its body has another digest than it was stored with", done.stderr)
        done = self.box.run(["zq", "journal", "export", "--data", self.box.data], ok=(20,))
        self.assertIn(b"its body has another digest", done.stderr)

    def test_a_folder_that_is_in_use_is_refused(self):
        self.box.coordinator()
        for verb in ("info", "verify", "export"):
            done = self.box.run(["zq", "journal", verb, "--data", self.box.data], ok=(5,))
            self.assertIn(b"stop it first", done.stderr)
        done = self.box.run(["zq", "journal", "info", "--data", self.box.path("nothing")], ok=(3,))
        self.assertIn(b"there is no journal", done.stderr)

    def test_a_state_of_the_past_is_served_again(self):
        self.live()
        events = [json.loads(line) for line in self.journal("export").splitlines()]
        ended = next(e["seq"] for e in events if e["kind"] == "attempt_ended" and e["id"] == "one")
        past = self.box.path("past")
        self.journal("restore", "--to-seq", str(ended), "--into", past)
        self.assertIn("is not empty", self.box.run(
            ["zq", "journal", "restore", "--data", self.box.data, "--into", past], ok=(5,)).stderr.decode())
        self.journal("verify", data=past)
        self.box.data = past
        self.box.coordinator()
        self.assertEqual(self.box.state_of("one"), "completed")
        self.assertEqual(self.box.zq("result", "one"), "found")
        self.box.run(["zq", "show", "held"], ok=(3,))

    def test_what_was_held_is_held_by_nobody_after_a_restore(self):
        self.live()
        copy = self.box.path("copy")
        now = json.loads(self.journal("restore", "--into", copy, "--json"))
        self.assertEqual(now["ended_leases"], 1)
        self.box.data = copy
        self.box.coordinator()
        self.assertEqual(self.box.state_of("held"), "queued")
        self.box.run(["zq", "heartbeat", "held"], ok=(5,))

    def test_what_lies_on_a_disk_that_cannot_be_written_to_is_read_all_the_same(self):
        self.live()
        mounted = subprocess.run(["mount", "--bind", "-o", "ro", self.box.data, self.box.data],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("may not mount a folder here: " + mounted.stderr.decode().strip())
        try:
            self.assertEqual(json.loads(self.journal("verify", "--json"))["problems"], [])
            self.assertEqual(json.loads(self.journal("info", "--json"))["tasks"]["completed"], 2)
            copy = self.box.path("copy")
            self.journal("restore", "--into", copy)
            refused = self.box.run(["zq-coordinator", "--data", self.box.data], ok=None)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("ead-only", refused.stderr.decode())
        finally:
            subprocess.run(["umount", self.box.data], check=True)
        self.box.data = copy
        self.box.coordinator()
        self.assertEqual(self.box.state_of("one"), "completed")

    def test_old_events_are_archived_and_the_rest_verifies_and_is_served(self):
        self.live()
        old = self.box.path("old.zqa")
        last = json.loads(self.journal("info", "--json"))["last_seq"]
        cut = json.loads(self.journal("archive", "--before", str(last), "--to", old, "--json"))
        self.assertEqual((cut["first_seq"], cut["last_seq"]), (1, last - 1))
        self.assertEqual(json.loads(self.journal("verify", "--json"))["dropped_upto"], last - 1)
        self.journal("verify", "--archive", old)
        with open(old, "rb") as file:
            content = file.read()
        with open(old, "wb") as file:
            file.write(content.replace(b"Look at it.", b"Look at me."))
        self.box.run(["zq", "journal", "verify", "--archive", old], ok=(20,))
        self.box.coordinator()
        self.assertEqual(self.box.zq("result", "one"), "found")
        self.assertEqual(self.box.show("waiting")["envelope"]["instructions"], "Nobody does this.")


class Fixtures(Case):
    """A journal of every released format is served by this release."""

    def test_each_is_served_and_verifies_afterwards(self):
        folder = os.path.join(SOURCE, "tests/fixtures")
        names = sorted(name for name in os.listdir(folder) if name.endswith(".db"))
        self.assertIn("journal-v1.db", names)
        for name in names:
            with self.subTest(name):
                self.box.data = self.box.path(name)
                os.mkdir(self.box.data)
                shutil.copyfile(os.path.join(folder, name), os.path.join(self.box.data, "journal.db"))
                coordinator = self.box.coordinator()
                prefix = name[len("journal-"):].split(".")[0]
                await_that(lambda p=prefix: self.box.state_of(f"{p}-done") == "completed", "it is served")
                self.box.submit("review", "--id", "new", "--instructions", "Go on.")
                coordinator.signal(15)
                self.assertEqual(coordinator.wait(), 0)
                verdict = json.loads(self.box.zq("journal", "verify", "--quick", "--data", self.box.data, "--json"))
                self.assertEqual(verdict["problems"], [])


KINDS = ("epoch_started", "task_submitted", "task_ready", "task_assigned", "lease_resumed", "progress_noted",
         "attempt_ended", "cancel_requested", "task_cancelled", "task_expired", "role_served", "content_stored",
         "request_recorded", "checkpoint_saved")


def milliseconds(text: str) -> int:
    """Of `2026-11-20T12:31:07.042Z`, since 1970."""
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
