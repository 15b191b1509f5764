#!/usr/bin/python3
"""Logs as they are printed: followed from elsewhere, over a restart of the coordinator, under a flood, without
secrets, and read again when all is over."""

import json
import os
import pty
import re
import subprocess
import time

from zq_e2e import BIN, PATIENCE, Case, await_that, high_water_kib, main

SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")
TALKER = """
echo first line; echo "to stderr" >&2
while [ ! -e {go} ]; do sleep 0.05; done
echo last line
"""


class Logs(Case):
    def talker(self, *flags: str, **spawn) -> str:
        """A worker whose command prints, waits to be let go, prints again; gives the task's id."""
        box = self.box
        script = TALKER.format(go=box.path("go"))
        box.worker("w1", "talk", command=["/bin/sh", "-c", script], flags=flags, **spawn)
        return box.submit("talk")

    def follow(self, task: str, *flags: str):
        return self.box.spawn("follow", ["zq", "logs", task, "-f", "--stdout", *flags])

    def test_a_follower_sees_a_line_while_the_command_runs_and_ends_with_the_task(self):
        box = self.box
        box.coordinator()
        task = self.talker()
        follower = self.follow(task)
        await_that(lambda: "first line" in follower.output(), "the first line is shown")
        self.assertNotIn("last line", follower.output())
        self.assertEqual(box.zq("logs", task, "--stdout"), "first line")
        box.write("go", "")
        self.assertEqual(follower.wait(), 0)
        self.assertEqual(follower.output().count("first line"), 1)
        self.assertEqual(follower.output().count("last line"), 1)
        self.assertEqual(box.zq("logs", task, "--stdout", "-n", "1"), "last line")
        self.assertEqual(box.zq("logs", task), "first line\nlast line")

    def test_a_follower_waits_for_a_task_that_is_queued(self):
        box = self.box
        box.coordinator()
        task = box.submit("talk")
        follower = self.follow(task)
        box.write("go", "")
        box.worker("w1", "talk", command=["/bin/sh", "-c", TALKER.format(go=box.path("go"))])
        self.assertEqual(follower.wait(), 0)
        self.assertIn("first line\nlast line\n", follower.output())

    def test_what_a_killed_coordinator_forgot_is_read_from_the_artifact(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        task = self.talker()
        await_that(lambda: box.zq("logs", task, "--stdout", ok=None) == "first line", "the first line has come")
        coordinator.kill()
        box.coordinator(*SHORT_LEASE)
        follower = self.follow(task)
        await_that(lambda: box.zq("logs", task, "--stdout", ok=None) == "", "it is forgotten")
        box.write("go", "")
        self.assertEqual(follower.wait(), 0)
        # A follower that asks for the first time when the task has ended reads the artifact at once.
        self.assertIn(follower.output(), ("[zq: 11 bytes of stdout were dropped here]\nlast line\n",
                                          "first line\nlast line\n"))
        self.assertEqual(box.zq("logs", task, "--stdout"), "first line\nlast line")

    def test_a_follower_goes_on_over_a_failed_attempt_and_a_coordinator_that_is_killed_meanwhile(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        script = f"echo attempt $ZQ_ATTEMPT; while [ ! -e {box.path('go')}$ZQ_ATTEMPT ]; do sleep 0.05; done; " \
                 "echo end $ZQ_ATTEMPT; [ $ZQ_ATTEMPT = 2 ]"
        box.worker("w1", "talk", command=["/bin/sh", "-c", script])
        task = box.submit("talk", "--backoff", "fixed:100ms")
        follower = self.follow(task)
        await_that(lambda: "attempt 1" in follower.output(), "the first attempt is shown")
        coordinator.kill()
        box.coordinator(*SHORT_LEASE)
        box.write("go1", "")
        await_that(lambda: "attempt 2" in follower.output(), "the second attempt is shown", 30)
        box.write("go2", "")
        self.assertEqual(follower.wait(), 0)
        self.assertEqual([line for line in follower.output().splitlines() if line[:3] in ("att", "end")],
                         ["attempt 1", "end 1", "attempt 2", "end 2"])
        self.assertEqual(box.zq("logs", task, "--attempt", "1"), "attempt 1\nend 1")

    def test_a_reader_resumes_by_sequence(self):
        box = self.box
        box.coordinator()
        script = "for i in 1 2 3 4 5; do echo line $i; echo err $i >&2; sleep 0.4; done"
        box.worker("w1", "talk", command=["/bin/sh", "-c", script])
        task = box.submit("talk")
        cut = box.spawn("cut", ["zq", "logs", task, "-f", "--json"])
        await_that(lambda: "line 2" in cut.output(), "two lines are shown")
        cut.kill()
        first = [json.loads(line) for line in cut.output().splitlines() if line.endswith("}")]
        self.assertEqual([piece["seq"] for piece in first], list(range(1, len(first) + 1)))
        rest = [json.loads(line) for line in
                box.zq("logs", task, "-f", "--json", "--after", str(first[-1]["seq"])).splitlines()]
        self.assertEqual([piece["seq"] for piece in first + rest], list(range(1, len(first + rest) + 1)))
        for stream, word in (("stdout", "line"), ("stderr", "err")):
            pieces = [piece for piece in first + rest if piece["stream"] == stream]
            self.assertEqual("".join(piece["text"] for piece in pieces),
                             "".join(f"{word} {i}\n" for i in range(1, 6)))
            for before, piece in zip(pieces, pieces[1:]):
                self.assertEqual(piece["offset"], before["offset"] + len(before["text"]))

    def test_a_capped_log_keeps_head_and_tail_and_counts_the_rest(self):
        box = self.box
        box.coordinator()
        lines = [f"line {i:05}" for i in range(100_000)]
        worker = box.worker("w1", "talk", command=["/bin/sh", "-c", "seq -f 'line %05.0f' 0 99999"],
                            flags=("--log-cap", "64KiB"))
        task = box.submit("talk")
        box.zq("wait", task, "--timeout", "60s")
        read = box.run(["zq", "logs", task])
        out, err = read.stdout.decode(), read.stderr.decode()
        dropped = int(re.fullmatch(r"\[zq: (\d+) bytes of stdout were dropped here\]\n", err).group(1))
        whole = "".join(line + "\n" for line in lines)
        self.assertEqual(len(out) + dropped, len(whole))
        self.assertTrue(whole.startswith(out[:32 * 1024]))
        self.assertTrue(whole.endswith(out[32 * 1024:]))
        pieces = [json.loads(line) for line in box.zq("logs", task, "--json").splitlines()]
        self.assertEqual([piece["dropped_bytes"] for piece in pieces if "dropped_bytes" in piece], [dropped])
        self.assertEqual(box.zq("logs", task, "-n", "2"), "line 99998\nline 99999")
        self.assertFalse(worker.ended())

    def test_control_characters_reach_a_pipe_as_they_are_and_a_terminal_escaped(self):
        box = self.box
        box.coordinator()
        box.worker("w1", "talk", command=["/bin/sh", "-c", r"printf 'a\033[31mred\007\n'"])
        task = box.submit("talk")
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.run(["zq", "logs", task]).stdout, b"a\x1b[31mred\x07\n")
        ours, terminal = pty.openpty()
        subprocess.run([os.path.join(BIN, "zq"), "logs", task], stdout=terminal, env=box.env(), check=True, timeout=30)
        os.close(terminal)
        self.assertEqual(os.read(ours, 1000), b"a\\x1b[31mred\\x07\r\n")
        os.close(ours)

    def test_secrets_are_shown_nowhere(self):
        box = self.box
        box.coordinator()
        token = "ghp_" + "aB3dE5gH7j" * 4
        values = box.write("values", "the third one\n")
        script = (f"printf 'key=%s token={token[:20]}' \"$MY_API_KEY\"; sleep 0.5; "
                  f"printf '{token[20:40]} end, the thi'; sleep 0.5; echo 'rd one'; echo $MY_API_KEY >&2; "
                  f"while [ ! -e {box.path('go')} ]; do sleep 0.05; done")
        worker = box.worker("w1", "talk", command=["/bin/sh", "-c", script],
                            flags=("--env", "MY_API_KEY", "--redact-file", values),
                            env=box.env(MY_API_KEY="open-sesame-12345"))
        task = box.submit("talk")
        wanted = "key=[redacted:MY_API_KEY] token=[redacted:github-token] end, [redacted:secret]"
        await_that(lambda: box.zq("logs", task, "--stdout", ok=None) == wanted, "the redacted line is shown live")
        for folder, _, names in os.walk(box.path("state-w1")):
            for name in names:
                if not os.path.isfile(os.path.join(folder, name)):
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                self.assertNotIn(b"open-sesame", content, name)
                self.assertNotIn(token[:40].encode(), content, name)
        box.write("go", "")
        box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(box.zq("logs", task, "--stdout"), wanted)
        self.assertEqual(box.zq("artifact", "cat", task, "stdout.log"), wanted)
        self.assertEqual(box.zq("artifact", "cat", task, "stderr.log"), "[redacted:MY_API_KEY]")
        self.assertNotIn("open-sesame", json.dumps(box.show(task)) + worker.output())

    def test_a_flood_slows_no_heartbeat_and_fills_neither_memory_nor_disk(self):
        box = self.box
        coordinator = box.coordinator(*SHORT_LEASE)
        flood = "timeout 6 yes 'a line of what a command prints when it prints without end'; echo; echo the end"
        worker = box.worker("w1", "talk", command=["/bin/sh", "-c", flood], flags=("--log-cap", "1MiB"))
        task = box.submit("talk")
        follower = self.follow(task)
        before, most = size_of(box.data), 0
        while not follower.ended():
            most = max(most, size_of(box.path("state-w1")) + size_of(box.data))
            time.sleep(0.1)
        box.zq("wait", task, "--timeout", "60s", seconds=70)
        self.assertEqual(box.attempts_of(task), [(1, "completed")], "no lease was lost")
        events = [row["kind"] for row in box.rows("events", "--task", task)]
        self.assertFalse([kind for kind in events if "lost" in kind or "expired" in kind], events)
        self.assertEqual(box.zq("logs", task, "-n", "1"), "the end")
        self.assertTrue(follower.output().endswith("the end\n"))
        dropped = sum(int(n) for n in re.findall(r"zq: (\d+) bytes of stdout", follower.output()))
        self.assertGreater(dropped, 20_000_000, "it was a flood")
        self.assertLess(most - before, 5 << 20, "bytes on disk at the most")
        if PATIENCE == 1:  # a sanitizer keeps for long what was freed
            self.assertLess(high_water_kib(worker.pid), 64 * 1024)
            self.assertLess(high_water_kib(coordinator.pid), 128 * 1024)


def size_of(folder: str) -> int:
    """Bytes on disk of the files below it, those without a name apart."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return total


if __name__ == "__main__":
    main()
