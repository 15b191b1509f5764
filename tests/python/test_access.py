#!/usr/bin/python3
"""Permissions: what each key may do, from its next message on; and that a digest is no right to what lies under it. On an address that
is no loopback, as in test_joining.py."""
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_joining import Place, enter_namespace  # noqa: E402  (exits where zmq is missing)
from zmq.utils import z85  # noqa: E402
from zq_client import Artifacts, Client, Worker, ZqError, sha256  # noqa: E402


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Place()
        cls.addClassCleanup(cls.place.coordinator.clean_up)
        cls.endpoint = cls.place.coordinator.endpoint
        cls.zq_program = cls.place.coordinator.program.with_name("zq")

    def run_zq(self, *arguments, home=None, code=0):
        done = subprocess.run([self.zq_program, *arguments], env=home or self.place.home, capture_output=True, text=True, timeout=60,
                              check=False, cwd=self.place.coordinator.folder)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def rows(self, *arguments):
        return [json.loads(line) for line in self.run_zq(*arguments, "-o", "jsonl").splitlines()]

    def refused(self, code, call, *arguments, **fields):
        with self.assertRaises(ZqError) as refusal:
            call(*arguments, **fields)
        self.assertEqual(refusal.exception.fields["code"], code, refusal.exception.fields)
        return refusal.exception.fields

    def machine(self, name, *invitation):
        """A machine's own home, joined by `zq join`."""
        words = next(line for line in self.place.zq("invite", *invitation).splitlines() if "zq join" in line).split()
        home = {**self.place.home, "HOME": str(self.place.coordinator.folder / name)}
        self.run_zq(*words[words.index("join"):], "--name", name, home=home)
        return home

    def test_a_client_sees_and_stops_its_own_tasks_and_nobody_elses(self):
        anna, _ = self.place.join("anna", "--submit")
        bob, _ = self.place.join("bob", "--submit")
        with Client(self.endpoint, anna) as a, Client(self.endpoint, bob) as b:
            hers = a.submit("role-own", group="secret-group")["task_id"]
            his = b.submit("role-own")["task_id"]
            self.assertEqual(a.task(hers)["row"]["task_id"], hers)
            absent = self.refused("NOT_FOUND", b.task, "t-there-is-none")
            hidden = self.refused("NOT_FOUND", b.task, hers)
            self.assertEqual(absent["message"].replace("t-there-is-none", "X"), hidden["message"].replace(hers, "X"))
            self.refused("NOT_FOUND", b.call, "GET", task_id=hers[:12], prefix=True)
            self.refused("NOT_FOUND", b.call, "WAIT", tasks=[hers])
            self.refused("NOT_FOUND", b.call, "WAIT", group="secret-group")
            for kind in ("CANCEL", "REPLAY", "EDIT", "REMOVE", "ANSWER"):
                extra = {"changes": {"type": "x"}} if kind == "EDIT" else {"answer": "yes"} if kind == "ANSWER" else {}
                self.refused("NOT_FOUND", b.call, kind, task_id=hers, **extra)
            self.assertEqual([row["task_id"] for row in b.call("LIST", to="role-own")[1]["rows"]], [his])
            events = b.call("EVENTS", limit=1000)[1]["rows"]
            self.assertEqual({event["task_id"] for event in events}, {his})
            self.refused("NOT_FOUND", b.call, "SUBMIT", task={"task_id": "spy", "to": "role-own", "after": {"tasks": [hers]}})
            self.refused("DENIED", b.call, "STATS", since=1)
            self.refused("DENIED", b.call, "BACKUP", folder="/nowhere")
            self.assertEqual(b.call("CANCEL", task_id=his)[1]["state"], "cancelled")
            self.assertEqual(a.task(hers)["row"]["state"], "queued")

    def test_a_digest_is_no_right_to_what_lies_under_it(self):
        anna, _ = self.place.join("anna-d", "--submit")
        eve, _ = self.place.join("eve-d", "--submit")
        data = os.urandom(600_000)
        digest = sha256(data)
        ref = {"name": "plan", "digest": digest, "size": len(data)}
        with Client(self.endpoint, anna) as a, Client(self.endpoint, eve) as e:
            a.call("PING")
            e.call("PING")
            with Artifacts(a.artifacts, anna) as hers, Artifacts(e.artifacts, eve) as evil:
                self.assertEqual(hers.put(data), 0)
                task = a.submit("role-d", inputs=[ref])["task_id"]
                self.assertEqual(hers.fetch(task, 0, "plan"), data)
                # She knows the digest and the task's id: neither helps.
                self.refused("NOT_FOUND", evil.fetch, task, 0, "plan")
                self.refused("MISSING_CONTENT", e.call, "SUBMIT", task={"task_id": "steal", "to": "role-d", "inputs": [ref]})
                evil.send("PUT", digest=digest, size=len(data))
                self.assertEqual(evil.answer()[0], "PULL", "she is not told that it is there")
                wrong = os.urandom(len(data))
                answers = []
                for at in range(0, len(wrong), 262_144):
                    evil.send("CHUNK", wrong[at:at + 262_144], digest=digest, offset=at, size=len(data))
                    try:
                        answers.append(evil.answer()[0])
                    except ZqError as refusal:
                        answers.append(refusal.fields["code"])
                self.assertEqual(answers, ["PULL", "PULL", "DIGEST_MISMATCH"])
                self.refused("MISSING_CONTENT", e.call, "SUBMIT", task={"task_id": "steal", "to": "role-d", "inputs": [ref]})
                self.assertEqual(hers.fetch(task, 0, "plan"), data)
                # Whoever has the bytes may use them, all of them sent again.
                self.assertEqual(evil.put(data), 0)
                self.assertEqual(e.submit("role-d", inputs=[ref])["state"], "queued")

    def test_a_worker_reads_what_its_task_waits_for_while_it_holds_it(self):
        anna, _ = self.place.join("anna-u", "--submit")
        gpu, _ = self.place.join("gpu-u", "--role", "role-u")
        other, _ = self.place.join("gpu-v", "--role", "role-v")
        with Client(self.endpoint, anna) as a, Worker(self.endpoint, "gpu-u", ["role-u"], curve=gpu) as worker:
            first = a.submit("role-u")["task_id"]
            second = a.submit("role-u", after={"tasks": [first]})["task_id"]
            worker.hello()
            worker.ready()
            assign = worker.next_assign()
            data = b"what the first has found"
            artifact = {"name": "result.md", "digest": sha256(data), "size": len(data), "data": data}
            worker.report("COMPLETE", assign, artifacts=[artifact])
            worker.ready()
            held = worker.next_assign()
            self.assertEqual(held["task"]["task_id"], second)
            a.call("PING")
            with Artifacts(a.artifacts, gpu) as its, Artifacts(a.artifacts, other) as others:
                place = {"for_task": second, "lease": held["lease"]}
                self.refused("NOT_FOUND", its.fetch, first, 1, "result.md")
                self.assertEqual(its.fetch(first, 1, "result.md", **place), data)
                self.refused("STALE_LEASE", others.fetch, first, 1, "result.md", **place)
            worker.report("COMPLETE", held, artifacts=[])

    def test_a_worker_serves_its_own_roles_and_its_own_leases(self):
        gpu, _ = self.place.join("gpu-r", "--role", "role-r")
        with Worker(self.endpoint, "gpu-r", ["role-r", "role-s"], curve=gpu) as worker:
            self.refused("DENIED", worker.hello)
        with Client(self.endpoint, gpu) as client:
            self.refused("DENIED", client.call, "CLAIM", to="role-s")
            anna, _ = self.place.join("anna-r", "--submit")
            with Client(self.endpoint, anna) as a:
                task = a.submit("role-s")["task_id"]
                self.refused("NOT_FOUND", client.call, "COMPLETE", task_id=task, attempt=1)
                self.refused("DENIED", a.call, "COMPLETE", task_id=task, attempt=1)

    def test_a_grant_and_a_revoke_count_from_the_next_message(self):
        anna, joined = self.place.join("anna-g", "--submit")
        with Client(self.endpoint, anna) as a:
            self.refused("DENIED", a.call, "STATS", since=1)
            self.run_zq("access", "grant", "anna-g", "read:all", "--reason", "she looks after it")
            self.assertEqual(a.call("STATS", since=1)[0], "STATS_REPLY")
            self.run_zq("access", "revoke", joined["identity"], "read:all", "submit:*")
            self.refused("DENIED", a.call, "STATS", since=1)
            self.refused("DENIED", a.call, "SUBMIT", task={"task_id": "t-g", "to": "role-g"})
            self.assertEqual(a.call("PING")[0], "PONG")
            self.run_zq("access", "revoke", "anna-g", "--key")
            self.refused("DENIED", a.call, "PING")
        changes = [event for event in self.rows("events", "--type", "access_changed")
                   if event["fields"].get("key", "").startswith("anna-g@")]
        self.assertEqual([change["fields"]["permissions"] for change in changes],
                         ["put read:own submit:*", "put read:all read:own submit:*", "put read:own"])
        self.assertEqual(changes[1]["fields"]["reason"], "she looks after it")
        self.assertTrue(changes[1]["identity"].startswith("admin@"), changes[1])
        last = self.rows("events", "--type", "access_changed")[-1]
        self.assertEqual(last["fields"]["removed"], "true")

    def test_a_file_that_is_removed_forgets_its_key_and_ends_its_session_and_its_polls(self):
        gpu, joined = self.place.join("gpu-f", "--role", "role-f")
        fingerprint = joined["identity"].split("@")[1]
        with Worker(self.endpoint, "gpu-f", ["role-f"], curve=gpu) as worker, Client(self.endpoint, gpu) as client:
            worker.hello()
            worker.ready()
            self.assertIn("gpu-f", [row["worker"] for row in client.call("WORKERS")[1]["rows"]])
            (self.place.data / "keys" / "known" / f"{fingerprint}.toml").unlink()
            deadline = time.monotonic() + 10
            while "gpu-f" in self.run_zq("worker", "ls", "-q").split():
                self.assertLess(time.monotonic(), deadline, "its session ends")
            self.refused("DENIED", client.call, "PING")
            self.refused("DENIED", worker.heartbeat)

    def test_every_admin_command_says_who_may_do_it(self):
        home = self.machine("laptop", "--submit")
        error = self.run_zq("access", "grant", "laptop", "admin", home=home, code=4)
        self.assertIn("admin", error)
        self.assertEqual(self.rows("access", "check", "laptop", "submit:anything")[0]["may"], True)
        self.run_zq("access", "check", "laptop", "operate", code=4)
        own = subprocess.run([self.zq_program, "access", "ls", "-q"], env=home, capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual([line.split("@")[0] for line in own.stdout.split()], ["laptop"])
        self.assertIn("last admin", self.run_zq("access", "revoke", "admin", "--key", code=5))
        self.assertIn("submit:ROLE", self.run_zq("access", "grant", "laptop", "everything", code=2))

    def test_a_machine_changes_its_key_and_goes_on_as_who_it_was(self):
        home = self.machine("rotating", "--submit")
        task = self.run_zq("submit", "--to", "role-x", "--instructions", "x", "-q", home=home).strip()
        before = self.rows("access", "ls", "rotating")[0]
        self.run_zq("keygen", "--rotate", "--grace", "2s", home=home)
        self.assertEqual(json.loads(self.run_zq("show", task, "--json", home=home))["id"], task)
        rows = self.rows("access", "ls", "rotating")
        self.assertEqual({row["id"] for row in rows}, {before["id"]})
        self.assertEqual(len(rows), 2)
        old = next(row for row in rows if row["fingerprint"] == before["fingerprint"])
        self.assertIn("expires_at", old)

    def test_an_invitation_for_several_machines_with_permissions_of_its_own(self):
        line = next(line for line in self.place.zq("invite", "--submit", "--uses", "2", "--permissions",
                                                   "submit:role-p,read:group:nightly").splitlines() if "zq join" in line)
        words = line.split()
        for name in ("one", "two"):
            home = {**self.place.home, "HOME": str(self.place.coordinator.folder / f"home-{name}")}
            self.run_zq(*words[words.index("join"):], "--name", name, home=home)
            self.run_zq("submit", "--to", "role-p", "--instructions", "x", "--group", "nightly", "-q", home=home)
            self.run_zq("submit", "--to", "role-q", "--instructions", "x", home=home, code=4)
        rows = json.loads("[" + ",".join(self.run_zq("ls", "--group", "nightly", "-o", "jsonl", home=home).splitlines()) + "]")
        self.assertEqual(len(rows), 2, "both are told of: it reads the group")
        home = {**self.place.home, "HOME": str(self.place.coordinator.folder / "home-three")}
        done = subprocess.run([self.zq_program, *words[words.index("join"):], "--name", "three"], env=home, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_approvals_are_for_those_who_may_and_not_for_the_submitter(self):
        anna, _ = self.place.join("anna-a", "--submit")
        boss, _ = self.place.join("boss-a", "--submit", "--permissions", "approve")
        with Client(self.endpoint, anna) as a, Client(self.endpoint, boss) as b:
            task = a.submit("role-a", labels={"side_effects": "irreversible"})
            self.assertEqual(task["state"], "input_required")
            question = a.task(task["task_id"])["questions"][0]
            said = {"task_id": task["task_id"], "choice": "approve", "digest": question["digest"]}
            self.refused("DENIED", a.call, "ANSWER", **said)
            self.assertEqual([row["task_id"] for row in b.call("QUESTIONS")[1]["rows"]], [task["task_id"]])
            self.refused("CONFLICT", b.call, "ANSWER", **{**said, "digest": bytes(32 * [7])})
            self.assertEqual(b.call("ANSWER", **said)[1]["state"], "queued")
            self.refused("NOT_FOUND", b.task, task["task_id"])


class ServerKey(unittest.TestCase):
    def test_the_coordinators_key_is_changed_and_pinned_anew(self):
        place = Place()
        self.addCleanup(place.coordinator.clean_up)
        zq = place.coordinator.program.with_name("zq")

        def run(*arguments, home=place.home, code=0):
            done = subprocess.run([zq, *arguments], env=home, capture_output=True, text=True, timeout=60, check=False,
                                  cwd=place.coordinator.folder)
            self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
            return done.stdout + done.stderr
        words = next(line for line in place.zq("invite", "--submit").splitlines() if "zq join" in line).split()
        home = {**place.home, "HOME": str(place.coordinator.folder / "laptop")}
        run(*words[words.index("join"):], "--name", "laptop", home=home)
        place.coordinator.stop()
        made = run("keygen", "--server", "--data", str(place.data))
        line = next(line for line in made.splitlines() if "--server-key" in line).replace("ADDRESS", place.coordinator.endpoint).split()
        server = z85.encode(bytes.fromhex(line[line.index("--server-key") + 1]))
        place.coordinator.curve = (server, *place.coordinator.curve[1:])
        place.coordinator.start()
        run("ping")  # its own machine knows the new key
        run(*line[1:], home=home)
        self.assertIn("laptop@", run("ping", home=home))


if __name__ == "__main__":
    enter_namespace()
    unittest.main()
