#!/usr/bin/python3
"""Runs the commands that README.md prints, in the order they stand there.

An HTML comment before a shell block says what it is: `setup` (here the test's own PATH does it), `run`,
`background: COMMAND` (goes on until `stop`; it is up when `zq COMMAND` prints something), `paste: ROLE` (run
the `zq join` line that an earlier block printed for that role), `seeds` (the shared folder is the
sandbox's), `task` (what a worker's command says inside its task), `waits` and `limits` (each on a coordinator of its own), `dead` and `look` (with some dead letters there), `stop` (ends what runs in the background). A shell block without a comment is not run.

Addresses, ports and installed paths of the page are replaced by the sandbox's, nothing else.
"""

import json
import os
import re
import shutil
import signal
import subprocess

from zq_e2e import BIN, PATIENCE, SOURCE, Case, await_that, free_ports, main

PART = re.compile(r"^<!-- (?P<kind>[a-z]+)(: (?P<detail>[a-z -]+))? -->\n(```sh\n(?P<text>.*?)^```$)?", re.MULTILINE | re.DOTALL)


class Readme(Case):
    def setUp(self):
        super().setUp()
        box = self.box
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            self.parts = list(PART.finditer(file.read()))
        self.background: list[subprocess.Popen] = []
        self.printed = ""
        self.addCleanup(self.stop)
        shutil.copytree(os.path.join(SOURCE, "examples"), box.path("examples"))
        shutil.copytree(os.path.join(SOURCE, "examples"), box.path("opt/zq/share/zq/examples"))
        for folder in ("common", "coordinator"):
            shutil.copytree(os.path.join(SOURCE, folder), box.path(f"src/project/{folder}"))
        box.write("shared/tasks/task-123.md", "# Task\n")
        box.write("shared/results/task-123.md", "# Result\n")
        self.new_ports()

    def new_ports(self) -> None:
        self.ports = free_ports(2)

    def env(self) -> dict:
        return self.box.env(PATH=f"{BIN}:{os.environ['PATH']}", ZQ_CONFIG=None, ZQ_CONNECT=None)

    def localise(self, text: str) -> str:
        box, (control, artifacts) = self.box, self.ports
        text = text.replace("192.168.1.10:5570", f"127.0.0.1:{control}").replace("192.168.1.10:5571", f"127.0.0.1:{artifacts}")
        text = text.replace("/opt/zq/", box.path("opt/zq/")).replace("/shared/", box.path("shared/"))
        ports = f"--bind tcp://127.0.0.1:{control} --artifacts-bind tcp://127.0.0.1:{artifacts}"
        return re.sub(r"^zq (dev|init)(?!.*--bind)", rf"zq \1 {ports}", text, flags=re.MULTILINE)

    def shell(self, text: str) -> str:
        done = subprocess.run(
            ["/bin/bash", "-e", "-o", "pipefail", "-c", text], env=self.env(), cwd=self.box.folder, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300 * PATIENCE, check=False,
        )
        self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}")
        self.printed += done.stdout
        return done.stdout

    def start(self, text: str, ready: str) -> None:
        log = open(self.box.path("background.log"), "ab")  # noqa: SIM115: the program keeps it
        self.background.append(subprocess.Popen(
            ["/bin/bash", "-c", f"exec {text}"], env=self.env(), cwd=self.box.folder,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        ))
        log.close()
        query = [os.path.join(BIN, "zq"), *ready.split()]

        def is_up() -> bool:
            self.assertIsNone(self.background[-1].poll(), f"{text} ended")
            done = subprocess.run(query, env=self.env(), capture_output=True, timeout=60 * PATIENCE, check=False)
            return done.returncode == 0 and done.stdout.strip()
        await_that(is_up, f"{text}: zq {ready}", 40)

    def stop(self) -> None:
        for program in reversed(self.background):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
                try:
                    program.wait(20 * PATIENCE)
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.wait(20)
        self.background.clear()

    def play(self, part: re.Match) -> None:
        kind, detail, text = part["kind"], part["detail"], self.localise(part["text"] or "")
        if kind == "run":
            self.shell(text)
        elif kind == "background":
            self.start(text.strip(), detail)
        elif kind == "paste":
            line = next(each for each in self.printed.splitlines() if re.match(r"\s*zq join ", each))
            self.shell(line)
        elif kind == "stop":
            self.stop()
            self.new_ports()
        else:
            self.assertIn(kind, ("setup", "seeds", "task", "dead", "look", "waits", "limits"))

    def test_the_walks_on_one_machine_and_on_two_work_as_printed(self):
        self.assertGreater(len([part for part in self.parts if part["kind"] == "run"]), 3)
        for part in self.parts:
            self.play(part)
        with open(self.box.path("report.md"), encoding="utf-8") as report:
            self.assertRegex(report.read(), r"# Review: .*\n\n\d+ files, checks: ")

    def test_what_a_task_says_works_as_printed(self):
        script = next(part["text"] for part in self.parts if part["kind"] == "task")
        files = "echo 1. look > plan.md; echo '<p>12' > report.html\n"
        self.box.write("agent.sh", f"cd $ZQ_TASK_DIR; {files}{script}")
        self.box.coordinator()
        self.box.worker("w1", "agent", ["/bin/sh", "-e", self.box.path("agent.sh")],
                        env=self.box.env(PATH=f"{BIN}:{os.environ['PATH']}"))
        task = self.box.submit("agent")
        self.box.zq("wait", task, "--timeout", "60s")
        shown = self.box.show(task)
        self.assertEqual(shown["summary"], "12 risks")
        self.assertEqual(shown["attempts"][0]["output"]["cost_usd_micros"], "120000")
        self.assertEqual(self.box.zq("artifact", "cat", task, "report.html"), "<p>12")
        self.assertEqual(self.box.zq("checkpoint", "get", task, "--name", "plan.md"), "1. look")

    def test_the_eight_lines_work_as_printed(self):
        lines = self.localise(next(part["text"] for part in self.parts if part["kind"] == "seeds")).splitlines()
        self.shell(lines[0])
        self.start("zq-coordinator --data ./zq-data", "ping")
        self.shell("zq submit --to implementation-worker --id task-124 --max-attempts 1 --instructions Reproduce")
        for line in lines[1:]:
            self.shell(line)
        self.assertIn("# Result", self.printed)
        self.assertIn("task-124", self.printed.splitlines()[-1])

    def test_tasks_that_wait_do_so_as_printed(self):
        text = self.localise(next(part["text"] for part in self.parts if part["kind"] == "waits"))
        self.shell("zq init")
        self.start("zq-coordinator --data ./zq-data", "ping")
        printed = self.shell(text)
        self.assertRegex(printed, r"(?m)^go .*blocked .*dependency .*waits for 1 task of 1 \(all_ok\): whole")
        self.assertRegex(printed, r"(?m)^sea .*queued .*no_worker .*no worker has ever served research")
        rows = [json.loads(line) for line in self.shell("zq ls -o jsonl").splitlines()]
        states = {row["id"]: row["state"] for row in rows}
        self.assertEqual(states, {"sea": "cancelled", "whole": "cancelled", "go": "cancelled", "land": "queued"})

    def test_limits_and_pauses_hold_as_printed(self):
        text = self.localise(next(part["text"] for part in self.parts if part["kind"] == "limits"))
        self.shell("zq init")
        self.start("zq-coordinator --data ./zq-data", "ping")
        printed = self.shell(text)
        self.assertRegex(printed, r"(?m)^first .*queued .*paused .*role review is paused: the model is down")
        self.assertRegex(printed, r"(?m)^review .*draining .*concurrency 4, rate 60/m, max_open 1000 .*moves elsewhere")
        self.assertRegex(printed, r"(?m)^account-7 .*open .*concurrency 2, rate 30/m")
        self.assertIn("cancelled", self.shell("zq status first"))

    def test_dead_letters_are_dealt_with_as_printed(self):
        text = self.localise(next(part["text"] for part in self.parts if part["kind"] == "dead"))
        self.shell("zq init")
        self.start("zq-coordinator --data ./zq-data", "ping")
        for task in ("task-124", "task-125"):
            self.shell(f"zq submit --to review-worker --id {task} --max-attempts 1 --instructions Review")
            self.shell(f"zq fail {task} --from me --reason 'no such folder'")
        self.shell("zq submit --to research-worker --id late --ttl 1s --instructions Review")
        await_that(lambda: "expired" in self.shell("zq status late"), "a task expires", 30)
        self.shell(text)
        self.assertIn("edited        instructions, by ", self.shell("zq show task-124"))
        self.assertIn("queued", self.shell("zq status task-125"))
        with open(self.box.path("dead.jsonl"), encoding="utf-8") as exported:
            self.assertIn('"late"', exported.read())
        self.assertEqual(self.shell("zq dlq ls -q"), "")

    def test_looking_on_works_as_printed(self):
        text = self.localise(next(part["text"] for part in self.parts if part["kind"] == "look"))
        self.shell("zq init")
        self.start("zq-coordinator --data ./zq-data", "ping")
        self.shell("zq submit --to review --id dead --max-attempts 1 --label team=x")
        self.shell("zq fail dead --from me --reason no")
        self.shell("zq submit --to review --id tonight --group night-run")
        said = self.shell(text)
        self.assertIn("attempt_ended", said)
        self.assertIn("cancelled", self.shell("zq status tonight"))


if __name__ == "__main__":
    main()
