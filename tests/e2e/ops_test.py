#!/usr/bin/python3
"""Running it: what the service manager is told, settings that are read again on SIGHUP, limits that children get back, `zq doctor`,
and the systemd units."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

from zq_e2e import BIN, PATIENCE, SOURCE, Case, await_that, main

NOBODY = 65534
SETTINGS = """
log_level = "{level}"
{more}
[roles.review.limits]
max_open = {most}
"""


class Manager:
    """A service manager's socket, and what was said to it."""

    def __init__(self, test, name):
        self.address = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self.socket.close)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.setblocking(False)
        self.words = []

    def heard(self):
        """All words so far, in order."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.words += self.socket.recv(4096).decode().splitlines()
        return self.words

    def await_word(self, start, times=1):
        def said():
            found = [word for word in self.heard() if word.startswith(start)]
            return found if len(found) >= times else []
        return await_that(said, f"{start} is said {times} times; heard {self.words}")


class Notices(Case):
    def test_the_coordinator_says_ready_reloading_alive_and_stopping(self):
        box = self.box
        manager = Manager(self, box.path("notify"))
        env = box.env(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="1000000")
        argv = ["zq-coordinator", "--data", box.data, "--bind", box.bind, "--artifacts-bind", box.artifacts_bind]
        coordinator = box.spawn("coordinator", argv, env=env)
        manager.await_word("READY=1")
        box.zq("ping")
        self.assertIn("STATUS=serving 0 open tasks", manager.heard())
        manager.await_word("WATCHDOG=1", 3)
        coordinator.signal(signal.SIGHUP)
        manager.await_word("READY=1", 2)
        words = manager.heard()
        self.assertLess(words.index("RELOADING=1"), len(words) - 1 - words[::-1].index("READY=1"))
        self.assertNotIn("STOPPING=1", words)
        coordinator.signal(signal.SIGTERM)
        self.assertEqual(coordinator.wait(), 0)
        manager.await_word("STOPPING=1")

    def test_a_worker_is_ready_once_it_is_welcomed(self):
        box = self.box
        manager = Manager(self, f"@zq-e2e-{os.getpid()}")
        worker = box.worker("w", "review", env=box.env(NOTIFY_SOCKET=manager.address))
        await_that(lambda: "environment passed on" in worker.output(), "it has started")
        self.assertEqual(manager.heard(), [])
        box.coordinator()
        manager.await_word("READY=1")
        self.assertIn(f"STATUS=serving review at {box.bind}", manager.heard())
        # What it starts does not speak for it.
        child = box.await_child(box.submit("review"), 1)
        with open(f"/proc/{child}/environ", "rb") as environ:
            self.assertNotIn(b"NOTIFY_SOCKET", environ.read())
        box.let_go()
        worker.signal(signal.SIGTERM)
        manager.await_word("STOPPING=1")
        self.assertEqual(worker.wait(), 0)


class Reload(Case):
    def start(self, **settings):
        self.config = self.box.path("settings.toml")
        self.settings(**settings)
        self.coordinator = self.box.coordinator("--config", self.config)

    def settings(self, level="info", most=1, more=""):
        self.box.write("settings.toml", SETTINGS.format(level=level, most=most, more=more))

    def read_again(self, program, said):
        """SIGHUP; waits until the log has one more line with these words, and gives it."""
        before = program.output().count(said)
        program.signal(signal.SIGHUP)
        await_that(lambda: program.output().count(said) > before, f"'{said}' is logged")
        return [line for line in program.output().splitlines() if said in line][-1]

    def test_a_limit_that_is_raised_is_seen_by_the_next_submit_and_one_that_is_lowered_too(self):
        box = self.box
        self.start(most=1)
        box.submit("review")
        self.assertIn(b"QUEUE_FULL", box.run(["zq", "submit", "--to", "review", "--json"], ok=(7,)).stderr)
        self.settings(most=2)
        self.assertIn("changed=roles.review.limits", self.read_again(self.coordinator, "the settings were read again"))
        box.submit("review")
        self.settings(most=1)
        self.read_again(self.coordinator, "the settings were read again")
        box.run(["zq", "submit", "--to", "review"], ok=(7,))

    def test_what_a_bound_held_back_starts_at_once(self):
        box = self.box
        self.start(most=9, more="[roles.build.limits]\nconcurrency = 1")
        box.worker("w", "build", flags=("--slots", "4"))
        first = box.submit("build", "--id", "first")
        box.await_child(first, 1)
        box.submit("build", "--id", "second")
        await_that(lambda: box.rows("why", "second")[0]["rule"] == "concurrency", "the second one is held")
        self.settings(most=9, more="[roles.build.limits]\nconcurrency = 2")
        self.read_again(self.coordinator, "the settings were read again")
        box.await_child("second", 1)
        box.let_go()

    def test_a_broken_file_changes_nothing_and_says_where_it_is_broken(self):
        box = self.box
        self.start(most=1)
        self.settings(most=-5, level="debug")
        line = self.read_again(self.coordinator, "the settings were read again and are wrong")
        self.assertRegex(line, r"settings\.toml:\d+")
        self.assertIn("roles.review.limits.max_open", line)
        box.submit("review")
        box.run(["zq", "submit", "--to", "review"], ok=(7,))
        os.unlink(self.config)
        self.read_again(self.coordinator, "the settings were read again and are wrong")
        self.assertFalse(self.coordinator.ended())

    def test_what_needs_a_restart_is_named_and_the_journal_knows_nothing_of_it(self):
        box = self.box
        self.start(most=1)
        before = json.loads(box.zq("status", "--json"))["last_seq"]
        self.settings(most=3, level="debug", more='lease = "45s"\npayload_schemas = ["r=/nonexistent"]')
        self.read_again(self.coordinator, "the settings were read again")
        line = [each for each in self.coordinator.output().splitlines() if "hold from the next start on" in each][-1]
        self.assertIn("settings=lease,payload_schemas", line)
        self.assertEqual(json.loads(box.zq("status", "--json"))["last_seq"], before)
        box.submit("review")
        self.coordinator.signal(signal.SIGTERM)
        self.assertEqual(self.coordinator.wait(), 0)
        self.assertIn("clean", box.check())

    def test_a_worker_reads_its_log_level_and_its_files_again(self):
        box = self.box
        box.coordinator()
        level, env_file = box.write("level", "info\n"), box.write("agent.env", "MODEL=small\n")
        flags = ("--log", f"@{level}", "--env-file", env_file)
        worker = box.worker("w", "review", ["/bin/sh", "-c", 'echo "model $MODEL"'], flags=flags)
        box.zq("wait", box.submit("review", "--id", "one"), "--timeout", "60s")
        self.assertIn("model small", box.zq("result", "one"))
        box.write("agent.env", "MODEL=large\n")
        box.write("level", "debug\n")
        self.assertIn("changed=log,environment", self.read_again(worker, "the settings were read again"))
        box.zq("wait", box.submit("review", "--id", "two"), "--timeout", "60s")
        self.assertIn("model large", box.zq("result", "two"))
        box.write("level", "loud\n")
        box.write("agent.env", "MODEL=none\n")
        self.assertIn("field=--log", self.read_again(worker, "the settings were read again and are wrong"))
        box.zq("wait", box.submit("review", "--id", "three"), "--timeout", "60s")
        self.assertIn("model large", box.zq("result", "three"))


class Limits(Case):
    LIMITS = 'ulimit -S -n; ulimit -H -n; ulimit -S -c; umask'

    def test_a_command_gets_the_limits_that_its_worker_was_started_with(self):
        box = self.box
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 400:
            self.skipTest("the hard limit on open files leaves no room")
        box.coordinator()
        prefix = ("/bin/sh", "-c", 'ulimit -S -n 300; ulimit -S -c 7 2>/dev/null; umask 027; exec "$@"', "sh")
        expected = box.run(["zq", "version"], prefix=("/bin/sh", "-c", prefix[2].replace('exec "$@"', self.LIMITS), "sh")).stdout
        worker = box.worker("w", "review", ["/bin/sh", "-c", self.LIMITS], prefix=prefix)
        box.zq("wait", box.submit("review", "--id", "t"), "--timeout", "60s")
        self.assertEqual(box.zq("result", "t").split(), expected.decode().split())
        self.assertEqual(expected.decode().split()[0], "300")
        with open(f"/proc/{worker.pid}/limits", encoding="ascii") as limits:
            own = {line[:26].strip(): line[26:].split() for line in limits}
        self.assertEqual(own["Max open files"][0], own["Max open files"][1])
        self.assertEqual(own["Max core file size"][0], "0")

    def test_the_coordinator_keeps_its_files_to_itself(self):
        box = self.box
        coordinator = box.coordinator()
        box.submit("review", "--file", box.write("context.md", "x" * 40000))
        for folder, _, names in os.walk(box.data):
            for path in [folder, *(os.path.join(folder, name) for name in names)]:
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
        self.assertEqual("runs as root" in coordinator.output(), os.getuid() == 0)

    def test_the_memory_of_the_coordinator_is_shown_to_no_process_of_its_user(self):
        box = self.box
        with open(os.path.join(BIN, "zq-coordinator"), "rb") as program:
            code = program.read()
            if b"__asan_init" in code or b"__tsan_init" in code:
                self.skipTest("a sanitizer has to look into it")
        argv = ["zq-coordinator", "--data", box.data, "--bind", box.bind, "--artifacts-bind", box.artifacts_bind]
        prefix = ()
        if os.getuid() == 0:  # whose own processes may look into all
            prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            os.chown(box.folder, NOBODY, NOBODY)
            if not shutil.which("setpriv") or box.run(["zq-coordinator", "--version"], ok=None, prefix=prefix).returncode:
                self.skipTest("another user may not run the programs here")
        coordinator = box.spawn("coordinator", argv, prefix=prefix)
        box.zq("ping")
        with open(f"/proc/{coordinator.pid}/limits", encoding="ascii") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 ")
        # What may not be dumped is root's in /proc, whoever runs it.
        self.assertEqual(os.stat(f"/proc/{coordinator.pid}/environ").st_uid, 0)
        other = subprocess.Popen([*prefix, "/bin/sleep", "60"])  # one that may
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        await_that(lambda: os.stat(f"/proc/{other.pid}/environ").st_uid == (NOBODY if prefix else os.getuid()),
                   "the test sees the difference")


class Doctor(Case):
    def doctor(self, *flags, ok=(0,), **run):
        """The findings: check -> [state, …]; and all of them as they are."""
        done = self.box.run(["zq", "doctor", "-o", "jsonl", *flags], ok=ok, **run)
        rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
        for row in rows:
            self.assertEqual(row["schema"], "zq/finding/v1")
            self.assertEqual("fix" in row, row["state"] != "ok", row)
        return rows

    def states(self, rows, check):
        return [row["state"] for row in rows if row["check"] == check]

    def test_a_healthy_set_up_has_no_failure(self):
        box = self.box
        box.coordinator()
        box.worker("w", "review", ["/bin/true"])
        await_that(lambda: box.zq("worker", "ls", "-q"), "the worker is there")
        rows = self.doctor("--data", box.data)
        for check in ("keys", "control", "artifacts", "clock", "versions", "workers", "roles", "leases", "storage", "dead letters"):
            self.assertEqual(self.states(rows, check), ["ok"], rows)
        self.assertEqual(len(self.states(rows, "fsync")), 1)
        self.assertIn("disk", [row["check"] for row in rows])
        self.assertEqual(os.listdir(box.data).count(".zq-doctor"), 0)
        text = box.zq("doctor")
        self.assertRegex(text, r"(?m)^ok    control       tcp://\S+ answers in ")
        listed = json.loads(box.zq("doctor", "--json"))
        self.assertEqual(listed["schema"], "zq/finding-list/v1")

    def test_nobody_there_is_a_finding_with_exit_code_20(self):
        box = self.box
        rows = self.doctor(ok=(20,), seconds=15)
        control = next(row for row in rows if row["check"] == "control")
        self.assertEqual(control["state"], "fail")
        self.assertIn("nothing listens there", control["found"])
        # One that takes connections and says nothing.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            connect = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
            rows = self.doctor("--connect", connect, ok=(20,), seconds=12)
        self.assertIn("does not talk", rows[-1]["found"])
        text = box.run(["zq", "doctor"], ok=(20,)).stdout.decode()
        self.assertRegex(text, r"(?m)^fail  control .*\n +fix: \S")

    def test_what_waits_in_vain_is_found(self):
        box = self.box
        box.coordinator()
        box.submit("review")
        self.assertEqual(self.states(self.doctor(), "roles"), ["warn"])
        box.worker("w", "review", ["/bin/false"])
        task = box.submit("review", "--max-attempts", "1")
        await_that(lambda: box.state_of(task) == "dead", "it is dead", 60)
        box.zq("worker", "pause", "w")
        box.zq("role", "drain", "build")
        rows = self.doctor()
        self.assertEqual(self.states(rows, "workers"), ["warn"])
        self.assertEqual(self.states(rows, "dead letters"), ["warn"])
        self.assertIn("zq worker resume w", [row.get("fix") for row in rows])
        claimed = box.submit("hand")
        box.zq("claim", "--role", "hand", "--lease", "30s")
        lease = next(row for row in self.doctor() if row["check"] == "leases")
        self.assertEqual(lease["state"], "warn")
        self.assertIn(claimed, lease["found"])

    def test_keys_that_are_open_wrong_or_unknown_are_found(self):
        box = self.box
        box.zq("init", "--data", box.data, "--bind", box.bind, "--artifacts-bind", box.artifacts_bind)
        env = box.env(ZQ_CONFIG=os.path.join(box.data, "admin.toml"), ZQ_CONNECT=None)
        with open(env["ZQ_CONFIG"], encoding="utf-8") as profile:
            text = profile.read()
        if "key_file" not in text:
            with open(os.path.join(box.data, "keys/server.key"), encoding="utf-8") as server:
                public = re.search('public_key = "(.*)"', server.read()).group(1)
            text += f'server_public_key = "{public}"\nkey_file = "{box.data}/admin.key"\n'
            env["ZQ_CONFIG"] = box.write("profile.toml", text)
        key = os.path.join(box.data, "admin.key")
        os.chmod(key, 0o644)
        finding = self.doctor("--data", box.data, ok=(20,), env=env)[0]
        self.assertEqual((finding["check"], finding["state"], finding["fix"]), ("keys", "fail", f"chmod 600 {key}"))
        os.chmod(key, 0o600)
        os.chmod(os.path.join(box.data, "keys"), 0o755)
        self.assertIn("chmod 700", self.doctor("--data", box.data, ok=(20,), env=env)[0]["fix"])
        os.chmod(os.path.join(box.data, "keys"), 0o700)
        shutil.rmtree(os.path.join(box.data, "keys/known"))
        finding = self.doctor("--data", box.data, ok=(20,), env=env)[0]
        self.assertIn("not known", finding["found"])
        os.unlink(os.path.join(box.data, "keys/server.key"))
        box.run(["zq", "init", "--data", box.data], ok=None)
        finding = self.doctor("--data", box.data, ok=(20,), env=env)[0]
        self.assertIn("pins another", finding["found"])
        missing = self.doctor("--data", box.path("nowhere"), ok=(20,))
        self.assertIn("disk", [row["check"] for row in missing if row["state"] == "fail"])


class Units(Case):
    UNITS = ("zq-coordinator.service", "zq-worker@.service")

    def test_are_sound_and_hardened(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not here")
        with tempfile.TemporaryDirectory(prefix="zq-units-") as folder:
            paths = []
            for unit in self.UNITS:
                with open(os.path.join(SOURCE, "configs/systemd", unit), encoding="utf-8") as file:
                    text = file.read()
                self.assertIn("/opt/zq/bin/", text)
                path = os.path.join(folder, unit.replace("@.", "@review."))
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace("/opt/zq/bin", BIN))
                paths.append(path)
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, check=False,
                                  timeout=60 * PATIENCE)
            # It also tells of other units of this machine.
            ours = [line for line in done.stderr.decode().splitlines() if "/zq-" in line or line.startswith("zq-")]
            self.assertEqual(ours, [])
            for path, most in zip(paths, (2.0, 6.0)):
                done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path],
                                      capture_output=True, check=False, timeout=60 * PATIENCE)
                exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout.decode())
                if exposure is None:
                    self.skipTest("systemd-analyze security does not work offline here")
                self.assertLessEqual(float(exposure.group(1)), most, path)


if __name__ == "__main__":
    main()
