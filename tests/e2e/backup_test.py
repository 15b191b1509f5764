#!/usr/bin/python3
"""A backup of a coordinator that is at work: whole, proved, and a life of its own after a restore; and none
that is not whole."""

import glob
import hashlib
import json
import os
import threading
import unittest

from zq_e2e import Case, await_that, main

LARGE = 300_000  # bytes of a result that travels by the artifacts socket and lies in a file


class Load:
    """Tasks that are submitted one after the other until it is stopped; knows what was acknowledged."""

    def __init__(self, box):
        self.box, self.acknowledged, self._stopped = box, [], threading.Event()
        self._thread = threading.Thread(target=self._submit)

    def _submit(self):
        number = 0
        while not self._stopped.is_set():
            role = ("small", "large")[number % 2]
            context = self.box.write(f"context-{number}", f"context {number}\n" * (10 if number % 3 else 2000))
            self.box.submit(role, "--id", f"load-{number}", "--instructions", f"number {number}", "--file", context)
            self.acknowledged.append(f"load-{number}")
            number += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()


class Backup(Case):
    def create(self, folder, **run):
        return self.box.run(["zq", "backup", "create", folder, "--json"], **run)

    def verify(self, folder, **run):
        return self.box.run(["zq", "backup", "verify", folder, "--json"], **run)

    def restore(self, folder, into, **run):
        return self.box.run(["zq", "backup", "restore", folder, "--into", into, "--json"], **run)

    def put_content(self, task, size=LARGE):
        """A queued task with one context that lies in a file; gives the file."""
        data = os.urandom(size // 2).hex().encode()
        with open(self.box.path("content"), "wb") as file:
            file.write(data)
        self.box.submit("nobody", "--id", task, "--file", self.box.path("content"))
        digest = hashlib.sha256(data).hexdigest()
        return os.path.join(self.box.data, "artifacts", digest[:2], digest)

    def begin_one_that_does_not_end(self, folder):
        """Its reading waits for a content that has become a pipe which nobody writes to."""
        content = self.put_content("held-up")
        os.rename(content, content + ".kept")
        os.mkfifo(content)
        client = self.box.spawn("backup", ["zq", "backup", "create", folder])
        hex_digest = os.path.basename(content)
        await_that(lambda: os.path.exists(os.path.join(folder, "artifacts", hex_digest[:2], hex_digest)),
                   "the backup is in the middle")
        return client, content

    def test_of_a_coordinator_at_work_has_all_that_was_acknowledged_and_goes_on_as_another_journal(self):
        box, folder, restored = self.box, self.box.path("backup"), self.box.path("restored")
        box.coordinator()
        box.worker("small", "small", ["sh", "-c", "echo small"])
        box.worker("large", "large", ["sh", "-c", f"head -c {LARGE} /dev/urandom"])
        box.submit("byhand", "--id", "held")
        box.zq("claim", "--role", "byhand", "--lease", "1h")
        with Load(box) as load:
            await_that(lambda: sum(row["state"] == "completed" for row in box.rows("ls")) >= 4, "work is going on", 60)
            before = list(load.acknowledged)
            ended = [row["id"] for row in box.rows("ls") if row["state"] == "completed"]
            made = json.loads(self.create(folder).stdout)
            await_that(lambda: len(load.acknowledged) > len(before), "the load goes on")
        self.assertEqual((made["folder"], made["state"]), (folder, "done"))
        self.assertGreater(made["artifacts"], 0)
        verdict = json.loads(self.verify(folder).stdout)
        self.assertEqual((verdict["state"], verdict["last_seq"], verdict["chain_head"]),
                         ("clean", made["last_seq"], made["chain_head"]))

        original = json.loads(box.zq("ping", "-o", "jsonl").splitlines()[0])["journal"]
        now = json.loads(self.restore(folder, restored).stdout)
        self.assertNotEqual(now["id"], original)
        self.assertGreaterEqual(now["ended_leases"], 1)
        for program in reversed(box.programs):
            program.kill()
        box.data = restored
        box.coordinator()
        for task in before:
            box.show(task)
        for task in ended:
            self.assertEqual(box.state_of(task), "completed")
            box.zq("result", task, "--verify")
        # The token of the old life is known to nobody here; the task is anybody's again.
        self.assertEqual(box.state_of("held"), "queued")
        stale = box.run(["zq", "complete", "held", "--json"], ok=(5,))
        self.assertIn(b"STALE_LEASE", stale.stderr)
        box.worker("new", "fresh", ["sh", "-c", "echo again"])
        task = box.submit("fresh")
        box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(box.zq("result", task), "again")

    def test_killed_in_the_middle_is_refused_as_unfinished(self):
        box, folder = self.box, self.box.path("backup")
        coordinator = box.coordinator()
        client, content = self.begin_one_that_does_not_end(folder)
        coordinator.kill()
        client.kill()
        for refused in (self.verify(folder, ok=(20,)), self.restore(folder, box.path("new"), ok=(20,))):
            self.assertIn(b"is an unfinished backup", refused.stderr)
        self.assertFalse(os.path.exists(box.path("new")))
        self.assertIn(b"is a backup", box.run(["zq-coordinator", "--data", folder], ok=(5,)).stderr)
        os.rename(content + ".kept", content)
        box.coordinator()
        self.assertIn(b"is an unfinished backup", self.create(folder, ok=(5,)).stderr)
        self.create(box.path("other"))
        self.verify(box.path("other"))

    def test_runs_beside_everything_else_and_only_once_at_a_time(self):
        box, folder = self.box, self.box.path("backup")
        box.coordinator()
        client, content = self.begin_one_that_does_not_end(folder)
        self.assertIn(b"one at a time", self.create(box.path("other"), ok=(7,)).stderr)
        self.assertEqual(box.state_of(box.submit("nobody")), "queued")
        self.assertFalse(client.ended())
        # The pipe's end is one of other bytes: content that is not what it is called.
        with open(content, "wb") as pipe:
            pipe.write(b"something else")
        self.assertEqual(client.wait(), 1)
        self.assertIn(os.path.basename(content), client.output())
        self.assertEqual(os.listdir(folder), [])
        os.rename(content + ".kept", content)
        self.create(folder)
        self.verify(folder)

    def test_names_a_changed_byte_of_an_artifact_and_is_not_restored_then(self):
        box, folder = self.box, self.box.path("backup")
        box.coordinator()
        content = self.put_content("one")
        self.create(folder)
        digest = os.path.basename(content)
        path = glob.glob(os.path.join(folder, "artifacts", "*", digest))[0]
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        os.unlink(path)  # it may be a link to the original
        with open(path, "wb") as file:
            file.write(data)
        self.assertIn(digest.encode(), self.verify(folder, ok=(20,)).stderr)
        self.assertIn(digest.encode(), self.restore(folder, box.path("new"), ok=(20,)).stderr)
        self.assertFalse(os.path.exists(box.path("new")))

    def test_goes_only_where_it_harms_nothing(self):
        box, folder = self.box, self.box.path("backup")
        box.coordinator()
        os.mkdir(folder)
        with open(os.path.join(folder, "mine"), "w", encoding="ascii"):
            pass
        self.assertIn(b"is not empty", self.create(folder, ok=(5,)).stderr)
        self.assertEqual(os.listdir(folder), ["mine"])
        self.assertIn(b"own data folder", self.create(os.path.join(box.data, "backup"), ok=(2,)).stderr)
        os.symlink(box.data, box.path("link"))
        self.assertIn(b"own data folder", self.create(box.path("link/backup"), ok=(2,)).stderr)
        # From here a relative path is one of this folder; restore takes no folder with anything in it.
        self.assertEqual(json.loads(self.create("relative").stdout)["folder"], box.path("relative"))
        self.assertIn(b"is not empty", self.restore("relative", folder, ok=(5,)).stderr)
        self.assertIn(b"there is no backup", self.verify(folder, ok=(3,)).stderr)
        os.unlink(box.path("relative/backup.json"))
        self.assertIn(b"there is no backup", self.verify("relative", ok=(3,)).stderr)


if __name__ == "__main__":
    unittest.TestCase.maxDiff = None
    main()
