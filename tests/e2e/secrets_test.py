#!/usr/bin/python3
"""Secrets on the real programs: a submit with one is refused, what workers say is redacted, artifacts are flagged or
refused, and secret://NAME never leaves its worker."""

import glob
import json
import os
import subprocess

from zq_e2e import Case, await_that, is_alive, main

# Made by count, so that nothing in this file is a key.
TOKEN = "ghp_" + ("aB3dE5gH7j" * 4)[:36]
VALUE = "s3cret/of the-database"
MARK = "[redacted:github-token]"


class SecretCase(Case):
    def sh(self, name: str, role: str, script: str, flags: tuple = (), **spawn):
        return self.box.worker(name, role, command=["/bin/sh", "-c", script], flags=flags, **spawn)

    def end_of(self, task: str) -> dict:
        self.box.zq("wait", task, "--timeout", "30s", ok=None)
        return self.box.show(task)

    def assert_nowhere(self, value: str, *folders: str, but: tuple = ()) -> None:
        """No file below the folders has the value."""
        found = subprocess.run(["grep", "-rlaF", value, *folders], capture_output=True, text=True, check=False)
        self.assertEqual([path for path in found.stdout.splitlines() if path not in but], [])


class SecretEnvelopes(SecretCase):
    def refused(self, *argv: str, **run) -> dict:
        done = self.box.run(["zq", *argv, "--json"], ok=(2,), **run)
        self.assertNotIn(TOKEN, (done.stdout + done.stderr).decode())
        return json.loads(done.stderr.decode().splitlines()[-1])["error"]

    def test_a_submit_with_a_secret_is_refused_and_names_the_field(self):
        box = self.box
        box.coordinator()
        error = self.refused("submit", "--to", "r", "--instructions", f"use {TOKEN}")
        self.assertEqual(error["code"], "SECRET_FOUND")
        self.assertIn("task.instructions", json.dumps(error))
        self.assertIn("github-token stands at byte 4", error["message"])
        self.assertIn("--allow-secrets", error["message"])
        self.refused("submit", "--to", "r", "--instructions", f"use {TOKEN}", "--dry-run")
        self.refused("submit", "--to", "r", "--payload", json.dumps({"password": "aB3dE5gH7jK9mN1pQ3s5"}))
        for size in (10, 100_000):
            context = box.write("context.md", "x" * size + f"\ntoken: {TOKEN}\n")
            error = self.refused("submit", "--to", "r", "--file", context)
            self.assertIn("context.md", error["message"])
        self.assertEqual(box.rows("ls"), [])
        self.assert_nowhere(TOKEN, box.data)

    def test_it_passes_where_it_says_so_and_the_journal_tells_it(self):
        box = self.box
        box.coordinator()
        task = box.submit("r", "--instructions", f"use {TOKEN}", "--allow-secrets")
        self.assertTrue(box.show(task)["envelope"]["allow_secrets"])
        self.assertIn("allowed in its texts", box.zq("show", task))
        self.assertIn("allow_secrets", json.dumps(box.rows("events", "--task", task)))

    def test_one_line_of_a_batch_is_refused_for_itself(self):
        box = self.box
        box.coordinator()
        lines = [{"to": "r", "instructions": "fine"}, {"to": "r", "instructions": TOKEN},
                 {"to": "r", "instructions": TOKEN, "allow_secrets": True}]
        done = box.run(["zq", "batch", "-f", "-"], ok=None, stdin="\n".join(map(json.dumps, lines)).encode())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("github-token", done.stderr.decode())
        self.assertNotIn(TOKEN, (done.stdout + done.stderr).decode())
        self.assertEqual(len(box.rows("ls")), 2)

    def test_what_workers_say_is_journaled_without_secrets(self):
        box = self.box
        coordinator = box.coordinator()
        task = box.submit("talk", "--max-attempts", "1")
        self.sh("w", "talk", f'zq progress 10 --message "with {TOKEN}"; echo "reason={TOKEN}" >> $ZQ_OUTPUT; '
                             f'echo "summary=sum {TOKEN}" >> $ZQ_OUTPUT; echo {TOKEN}; exit 65',
                env=box.env(PATH=os.environ["ZQ_BIN_DIR"] + ":" + os.environ["PATH"]))
        shown = self.end_of(task)
        self.assertEqual(shown["state"], "dead")
        self.assertIn(MARK, shown["reason"])
        self.assertIn(f"sum {MARK}", json.dumps(shown))
        self.assertNotIn(TOKEN, json.dumps(shown) + json.dumps(box.rows("events", "--task", task)))
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)
        self.assert_nowhere(TOKEN, box.data)
        box.check()


class Erasing(SecretCase):
    def test_an_erased_task_is_nowhere_in_the_folder_and_the_chain_holds(self):
        box = self.box
        coordinator = box.coordinator()
        context = box.write("context.md", "x" * 50_000 + f" {TOKEN}\n")
        task = box.submit("leak", "--instructions", f"use {TOKEN}", "--payload", json.dumps({"k": TOKEN}), "--file", context,
                          "--allow-secrets")
        other = box.submit("other", "--instructions", "fine")
        self.sh("w", "leak", f'zq progress 10 --message "so {VALUE}"; echo "{VALUE}" > $ZQ_RESULT; '
                             f'head -c 30000 /dev/zero | tr "\\0" x > $ZQ_OUT/large.txt; echo "{TOKEN}" >> $ZQ_OUT/large.txt',
                env=box.env(PATH=os.environ["ZQ_BIN_DIR"] + ":" + os.environ["PATH"]))
        self.sh("v", "other", "echo fine > $ZQ_RESULT")
        self.end_of(other)
        self.assertEqual(self.end_of(task)["state"], "completed")
        self.assertIn("say --erase", box.run(["zq", "rm", task], ok=(2,)).stderr.decode())
        self.assertEqual(box.zq("rm", "--erase", task, "--because", "a key got in").split(), [task, "erased"])
        box.run(["zq", "show", task], ok=(3,))
        events = box.rows("events", "--task", task)
        self.assertNotIn(TOKEN, json.dumps(events))
        self.assertIn("texts_erased", json.dumps(events))
        self.assertIn("a key got in", json.dumps(events))
        self.assertIn("progress_noted", json.dumps(events), "what happened stays")

        def files_are_gone() -> bool:
            found = subprocess.run(["grep", "-rlaF", "-e", TOKEN, "-e", VALUE, box.data], capture_output=True, text=True, check=False)
            return found.stdout == ""

        # Contents go with the next look of retention, the log as soon as nothing is to be done.
        await_that(files_are_gone, "the bytes to be gone")
        box.zq("rm", "--erase", task)  # there are events, if without texts
        box.run(["zq", "rm", "--erase", "never-there"], ok=(3,))
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)
        box.zq("journal", "verify", "--data", box.data)
        box.check()
        coordinator = box.coordinator()
        self.assertEqual(box.zq("result", other).strip(), "fine", "what others had stays")

    def test_a_task_that_was_removed_before_is_erased_after(self):
        box = self.box
        box.coordinator()
        task = box.submit("none", "--instructions", f"use {TOKEN}", "--allow-secrets")
        box.run(["zq", "rm", "--erase", task], ok=(5,))
        box.zq("cancel", task)
        gone = box.submit("none", "--instructions", f"use {TOKEN}", "--allow-secrets", "--ttl", "1s")
        await_that(lambda: box.show(gone)["state"] == "expired", "the ttl to pass")
        box.zq("dlq", "rm", gone)
        box.run(["zq", "rm", "--erase", task, gone], ok=(2,))
        box.zq("rm", "--erase", task, gone, "--yes")
        await_that(lambda: subprocess.run(["grep", "-rqaF", TOKEN, box.data], check=False).returncode == 1, "the bytes to be gone")


class FlaggedArtifacts(SecretCase):
    LEAK = f'echo "token: {TOKEN}" > $ZQ_OUT/leak.txt; head -c 50000 /dev/zero | tr "\\0" x > $ZQ_OUT/large.txt; ' \
           f'echo " {TOKEN}" >> $ZQ_OUT/large.txt; echo fine > $ZQ_OUT/fine.txt; echo done > $ZQ_RESULT'

    def test_text_with_a_secret_is_flagged_inline_and_uploaded(self):
        box = self.box
        box.coordinator()
        task = box.submit("leak")
        self.sh("w", "leak", self.LEAK)
        shown = self.end_of(task)
        self.assertEqual(shown["state"], "completed")
        flags = {row["name"]: row.get("secrets") for row in box.rows("artifact", "ls", task)}
        self.assertEqual(flags["leak.txt"], ["github-token"])
        self.assertEqual(flags["large.txt"], ["github-token"])
        self.assertIsNone(flags["fine.txt"])
        self.assertIn("looks like a secret: github-token", box.zq("show", task))
        self.assertIn("github-token", box.zq("result", task, "--json"))

    def test_flags_outlive_a_restart(self):
        box = self.box
        coordinator = box.coordinator()
        task = box.submit("leak")
        self.sh("w", "leak", self.LEAK)
        self.end_of(task)
        coordinator.kill()
        coordinator = box.coordinator()
        flags = {row["name"]: row.get("secrets") for row in box.rows("artifact", "ls", task)}
        self.assertEqual(flags["large.txt"], ["github-token"])
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)
        box.check()

    def test_a_coordinator_that_refuses_them_takes_the_attempt_as_failed(self):
        box = self.box
        os.makedirs(box.data)
        box.write("data/coordinator.toml", '[secrets]\nartifacts = "refuse"\n')
        box.coordinator()
        task = box.submit("leak", "--max-attempts", "1")
        self.sh("w", "leak", self.LEAK)
        shown = self.end_of(task)
        self.assertEqual(shown["state"], "dead")
        self.assertIn("github-token", shown["reason"])
        self.assertNotIn(TOKEN, json.dumps(shown))
        self.assertEqual(shown["attempts"][0].get("artifacts", []), [])


class WorkersSecrets(SecretCase):
    def secrets(self) -> str:
        folder = self.box.path("secrets")
        os.makedirs(folder, mode=0o700)
        path = self.box.write("secrets/db", VALUE + "\n")
        os.chmod(path, 0o600)
        return folder

    def zq_env(self) -> dict:
        return self.box.env(PATH=os.environ["ZQ_BIN_DIR"] + ":" + os.environ["PATH"])

    def test_a_value_reaches_the_command_and_nothing_that_leaves_has_it(self):
        box = self.box
        folder = self.secrets()
        coordinator = box.coordinator()
        task = box.submit("use", "--instructions", "Log in with secret://db.", "--payload", '{"key":"secret://db"}')
        script = """
            v=$(cat "$ZQ_SECRETS/db")
            [ "$v" = '%s' ] && echo "got it" || echo "not it: $v"
            stat -c %%a "$ZQ_SECRETS/db"
            grep -c 'secret://db' task.json prompt.md
            echo "printed $v"; echo "complained $v" >&2
            zq progress 50 --message "at $v"
            echo "$v" > state; zq checkpoint put state; echo "checkpoint $?"
            zq submit --to other --instructions "go on with $v"
            echo "summary=used $v" >> $ZQ_OUTPUT
            echo "kept $v" > notes.txt
            { head -c 60000 /dev/zero | tr '\\0' x; echo "$v"; } > $ZQ_OUT/large.txt
            echo "the result: $v" > $ZQ_RESULT
        """ % VALUE
        worker = self.sh("w", "use", script, flags=("--secrets", folder, "--keep"), env=self.zq_env())
        shown = self.end_of(task)
        self.assertEqual(shown["state"], "completed")
        self.assertEqual(shown["summary"], "used [redacted:db]")
        log = box.zq("logs", task)
        self.assertIn("got it", log)
        self.assertIn("600", log)
        self.assertIn("printed [redacted:db]", log)
        done = box.run(["zq", "logs", task, "--stderr"])
        self.assertIn("complained [redacted:db]", (done.stdout + done.stderr).decode())
        self.assertIn("checkpoint 2", log)
        self.assertEqual(box.zq("result", task), "the result: [redacted:db]")
        self.assertTrue(box.zq("artifact", "cat", task, "large.txt").endswith("[redacted:db]"))
        other = box.rows("ls", "--to", "other")
        self.assertEqual(len(other), 1)
        self.assertIn("go on with [redacted:db]", json.dumps(box.show(other[0]["id"])))
        attempts = glob.glob(box.path("state-w/attempts/*"))
        self.assertEqual(len(attempts), 1)
        self.assertFalse(os.path.exists(f"{attempts[0]}/.secrets"))
        with open(f"{attempts[0]}/notes.txt", encoding="utf-8") as notes:
            self.assertEqual(notes.read(), "kept [redacted:db]\n")
        worker.signal(15)
        worker.wait()
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)
        self.assert_nowhere(VALUE, box.data, box.path("state-w"), worker.log, coordinator.log)

    def test_a_worker_that_lacks_it_fails_the_attempt_and_names_it(self):
        box = self.box
        folder = self.secrets()
        box.coordinator()
        task = box.submit("use", "--instructions", "secret://other", "--max-attempts", "1")
        self.sh("w", "use", "echo ran", flags=("--secrets", folder))
        shown = self.end_of(task)
        self.assertEqual(shown["state"], "dead")
        self.assertIn("secret://other", shown["reason"])
        self.assertNotIn(folder, json.dumps(shown))

    def test_a_killed_workers_values_are_gone_when_it_starts_again(self):
        box = self.box
        folder = self.secrets()
        box.coordinator("--lease", "2s", "--heartbeat", "400ms")
        task = box.submit("use", "--instructions", "secret://db")
        script = 'cat "$ZQ_SECRETS/db" > copy; echo $$ > %s; while [ ! -e %s ]; do sleep 0.1; done'
        script %= (box.path("begun"), box.path("go"))
        worker = self.sh("w", "use", script, flags=("--secrets", folder, "--keep"))
        pid = int(await_that(lambda: os.path.exists(box.path("begun")) and open(box.path("begun")).read(), "it runs"))
        worker.kill()
        box.write("go", "")
        os.remove(box.path("begun"))
        self.sh("w", "use", "true", flags=("--secrets", folder, "--keep"))
        self.assertEqual(self.end_of(task)["state"], "completed")
        self.assertFalse(is_alive(pid))
        self.assert_nowhere(VALUE, box.path("state-w"))

    def test_a_folder_or_a_file_that_others_can_read_is_refused(self):
        box = self.box
        folder = self.secrets()
        os.chmod(folder, 0o755)
        done = box.run(["zq-worker", "--role", "r", "--secrets", folder, "--", "true"], ok=(2,))
        self.assertIn("--secrets", done.stderr.decode())
        os.chmod(folder, 0o700)
        os.chmod(f"{folder}/db", 0o644)
        box.coordinator()
        task = box.submit("use", "--instructions", "secret://db", "--max-attempts", "1")
        self.sh("w", "use", "echo ran", flags=("--secrets", folder))
        self.assertIn("open to other users", self.end_of(task)["reason"])


if __name__ == "__main__":
    main()
