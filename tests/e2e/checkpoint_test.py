#!/usr/bin/python3
"""Checkpoints and the socket inside a task, with real programs: an agent that dies in its fourth step goes on
from there, what a task says survives a coordinator that is away, and nobody speaks for another task."""

import json
import os
import re
import signal
import sys
import unittest

from zq_e2e import BIN, SOURCE, Case, await_that, is_alive, main

SIX_STEPS = os.path.join(SOURCE, "examples/workers/six_steps.py")
SHORT_LEASE = ("--lease", "3s", "--heartbeat", "500ms")
MATERIAL = "Saturn has rings of ice.\nMars has two moons.\nThe rings of Jupiter are faint; many planets have none.\n"
STEPS = ["think", "search", "analyse", "act", "reflect", "continue"]
try:
    import zmq  # noqa: F401
    sys.path.insert(0, os.path.join(SOURCE, "tests/python"))
    import zq_client
except ImportError:  # python3-zmq or python3-msgpack is not there
    zq_client = None


class InsideATask(Case):
    """Workers whose commands find `zq` on their PATH."""

    def worker(self, command: list[str], *flags: str, name: str = "w"):
        env = self.box.env(PATH=f"{BIN}:{os.environ['PATH']}")
        return self.box.worker(name, "r", command, flags=("--grace", "2s", *flags), env=env)

    def script(self, text: str) -> list[str]:
        path = self.box.write("agent.sh", "set -e\n" + text)
        return ["/bin/sh", path]

    def checkpoint(self, task: str) -> dict:
        done = self.box.run(["zq", "checkpoint", "get", task], ok=(0, 3))
        return json.loads(done.stdout) if done.returncode == 0 else {"done": []}

    def result(self, task: str) -> str:
        return self.box.zq("result", task)


class Previous(InsideATask):
    def test_an_attempt_reads_what_an_earlier_one_left(self):
        self.box.coordinator()
        self.worker(self.script("""
            if [ "$ZQ_ATTEMPT" = 1 ]; then
                zq artifact get --attempt 1 2>> "$ZQ_OUT/early.txt" || echo "exit $?" >> "$ZQ_OUT/early.txt"
                mkdir "$ZQ_OUT/notes"; head -c 100000 /dev/zero | tr '\\0' x > "$ZQ_OUT/notes/plan.md"
                echo "said by the first"; exit 1
            fi
            zq artifact ls --attempt 1 -o json > "$ZQ_OUT/ls.json"
            zq artifact get --attempt 1 notes/plan.md > "$ZQ_OUT/paths.txt"
            cmp "$(cat "$ZQ_OUT/paths.txt")" "$ZQ_TASK_DIR/previous/1/notes/plan.md"
            test ! -e "$ZQ_TASK_DIR/previous/1/stdout.log"
            zq artifact get --attempt 1 stdout.log --output-file said
            zq artifact get --attempt 1 > "$ZQ_OUT/all.txt"
            for bad in "--attempt 2" "--attempt 0" "--attempt 1 no-such-file"; do
                zq artifact get $bad 2>> "$ZQ_OUT/refused.txt" && exit 1
                echo "exit $?" >> "$ZQ_OUT/refused.txt"
            done
            wc -c < "$ZQ_TASK_DIR/previous/1/notes/plan.md" > "$ZQ_RESULT"
            cat said >> "$ZQ_RESULT"
        """))
        task = self.box.submit("r", "--instructions", "go", "--backoff", "none")
        self.box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(self.box.attempts_of(task), [(1, "failed"), (2, "completed")])
        self.assertEqual(self.result(task), "100000\nsaid by the first")

        def cat(name, *flags):
            return self.box.zq("artifact", "cat", task, name, *flags)
        listed = {item["name"] for item in json.loads(cat("ls.json"))["items"]}
        self.assertLessEqual({"notes/plan.md", "stdout.log"}, listed)
        self.assertTrue(cat("paths.txt").endswith("/previous/1/notes/plan.md"))
        self.assertEqual(len(cat("all.txt").splitlines()), len(listed))
        self.assertIn("exit 2", cat("early.txt", "--attempt", "1"))
        refused = cat("refused.txt")
        self.assertEqual(re.findall("exit .", refused), ["exit 2", "exit 2", "exit 3"])
        self.assertIn("attempt 1 left no no-such-file", refused)


class Checkpoints(InsideATask):
    def submit(self) -> str:
        material = self.box.write("planets.txt", MATERIAL)
        return self.box.submit("r", "--instructions", "Which planets have rings?", "--file", material,
                               "--backoff", "none")

    def await_step(self, task: str, step: str) -> int:
        """The pid of the agent that works at that step."""
        row = await_that(lambda: [r for r in self.box.rows("ls") if r.get("progress_step") == step],
                         f"step {step} of {task}")[0]
        self.assertEqual(row["id"], task)
        return self.checkpoint(task)["done"][-1]["pid"]

    def assert_went_on(self, task: str) -> None:
        self.box.zq("wait", task, "--timeout", "60s")
        state = self.checkpoint(task)
        self.assertEqual([each["step"] for each in state["done"]], STEPS)
        self.assertEqual([each["attempt"] for each in state["done"]], [1, 1, 1, 2, 2, 2])
        self.assertIn("- The rings of Jupiter are faint", self.result(task))
        self.assertEqual(self.box.show(task)["summary"], "answered")
        self.assertEqual([number for number, _ in self.box.attempts_of(task)], [1, 2])

    def test_an_agent_killed_in_its_fourth_step_goes_on_from_there(self):
        self.box.coordinator()
        self.worker([SIX_STEPS, "--pace", "0.5"])
        task = self.submit()
        os.kill(self.await_step(task, "4/6"), signal.SIGKILL)
        self.assert_went_on(task)
        self.assertEqual(self.box.attempts_of(task)[0], (1, "failed"))

    def test_a_worker_killed_in_its_agents_fourth_step_goes_on_from_there(self):
        self.box.coordinator(*SHORT_LEASE)
        worker = self.worker([SIX_STEPS, "--pace", "0.5"])
        task = self.submit()
        agent = self.await_step(task, "4/6")
        worker.kill()
        self.worker([SIX_STEPS, "--pace", "0.5"])
        await_that(lambda: not is_alive(agent), "the agent of the killed worker is ended")
        self.assert_went_on(task)

    def test_a_coordinator_killed_in_the_fourth_step_costs_nothing(self):
        coordinator = self.box.coordinator()
        self.worker([SIX_STEPS, "--pace", "0.5"])
        task = self.submit()
        self.await_step(task, "4/6")
        coordinator.kill()
        self.box.coordinator()
        self.box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(self.box.attempts_of(task), [(1, "completed")])
        self.assertEqual([each["step"] for each in self.checkpoint(task)["done"]], STEPS)

    def test_what_a_claim_by_hand_saved_is_given_to_a_worker(self):
        self.box.coordinator()
        task = self.box.submit("r")
        self.box.zq("claim", "--id", task)
        large = self.box.write("index.db", "x" * 100_000)
        small = self.box.write("plan.txt", "first this, then that")
        self.box.zq("checkpoint", "put", task, large, "--name", "memory/index.db")
        self.box.zq("checkpoint", "put", task, small)
        self.assertEqual([row["name"] for row in self.box.rows("checkpoint", "ls", task)],
                         ["memory/index.db", "plan.txt"])
        self.assertEqual(self.box.zq("checkpoint", "get", task), "first this, then that")
        self.box.zq("release", task)
        self.worker(self.script("zq checkpoint get --name plan.txt\n"
                                "wc -c < $ZQ_CHECKPOINT_DIR/memory/index.db\n"))
        self.box.zq("wait", task, "--timeout", "30s")
        self.assertEqual(self.result(task), "first this, then that100000")


class TaskSocket(InsideATask):
    def test_a_final_word_counts_though_the_command_fails_after_it(self):
        self.box.coordinator()
        self.worker(self.script('case $ZQ_TYPE in\n'
                                '  done) echo body > $ZQ_TASK_DIR/b.txt\n'
                                '        zq complete --summary "all done" --artifact note.txt=$ZQ_TASK_DIR/b.txt;;\n'
                                '  bad) zq fail --permanent --reason "cannot be done";;\n'
                                '  none) zq skip --reason "nothing new";;\n'
                                '  later) [ -e $ZQ_CHECKPOINT_DIR/here ] || {\n'
                                '           echo > here.tmp; zq checkpoint put here.tmp --name here\n'
                                '           zq release; };;\n'
                                '  stays) zq complete --summary "said"; exec sleep 600;;\n'
                                'esac\nexit 1\n'), "--linger", "1s")
        tasks = {kind: self.box.submit("r", "--type", kind, "--max-attempts", "1")
                 for kind in ("done", "bad", "none", "later", "stays")}
        for task in tasks.values():
            self.box.zq("wait", task, "--timeout", "30s", ok=None)
        done = self.box.show(tasks["done"])
        self.assertEqual((done["state"], done["summary"]), ("completed", "all done"))
        self.assertEqual(self.box.zq("artifact", "cat", tasks["done"], "note.txt"), "body")
        stays = self.box.show(tasks["stays"])
        self.assertEqual((stays["state"], stays["summary"]), ("completed", "said"))
        bad = self.box.show(tasks["bad"])
        self.assertEqual((bad["state"], bad["dead_reason"], bad["reason"]), ("dead", "permanent", "cannot be done"))
        self.assertEqual(self.box.state_of(tasks["none"]), "skipped")
        self.assertEqual(self.box.attempts_of(tasks["later"])[0], (1, "released"))

    def test_a_task_submits_children_through_its_worker(self):
        self.box.coordinator()
        self.worker(self.script('head -c 100000 /dev/zero > big\n'
                                'env -u ZQ_CONNECT zq submit --to other --file big --id child >&2\n'))
        task = self.box.submit("r", "--group", "g", "--trace-id", "trace-7")
        self.box.zq("wait", task, "--timeout", "30s")
        child = self.box.show("child")
        self.assertEqual((child["group"], child["trace_id"]), ("g", "trace-7"))
        self.assertEqual(child["envelope"]["labels"]["parent"], task)
        self.assertEqual(len(self.box.run(["zq", "artifact", "cat", "child", "context"]).stdout), 100_000)

    def test_what_a_task_says_survives_a_coordinator_that_is_away(self):
        coordinator = self.box.coordinator()
        self.worker(self.script('until [ -e "$HOME/away" ]; do sleep 0.05; done\n'
                                'zq progress 50 --message halfway\n'
                                'echo one > f; zq checkpoint put f --name one\n'
                                'head -c 50000 /dev/zero > f; zq checkpoint put f --name two\n'
                                'zq complete --summary "said in the dark"\n'
                                'touch "$HOME/said"\n'))
        task = self.box.submit("r")
        await_that(lambda: self.box.state_of(task) == "running", "the task runs")
        coordinator.kill()
        self.box.write("away", "")
        await_that(lambda: os.path.exists(self.box.path("said")), "everything is said")
        self.box.coordinator()
        self.box.zq("wait", task, "--timeout", "60s")
        shown = self.box.show(task)
        self.assertEqual(shown["summary"], "said in the dark")
        self.assertEqual([c["name"] for c in shown["checkpoints"]], ["one", "two"])
        kinds = [event["kind"] for event in shown["events"] if event["kind"] in ("checkpoint_saved", "attempt_ended")]
        self.assertEqual(kinds, ["checkpoint_saved", "checkpoint_saved", "attempt_ended"])

    def test_a_checkpoint_outlives_its_worker_though_no_coordinator_had_heard_of_it(self):
        coordinator = self.box.coordinator(*SHORT_LEASE)
        agent = self.script('if zq checkpoint get --name big > big; then wc -c < big; exit 0; fi\n'
                            'until [ -e "$HOME/away" ]; do sleep 0.05; done\n'
                            'head -c 50000 /dev/zero > f; zq checkpoint put f --name big\n'
                            'touch "$HOME/said"; sleep 600\n')
        worker = self.worker(agent)
        task = self.box.submit("r")
        await_that(lambda: self.box.state_of(task) == "running", "the task runs")
        coordinator.kill()
        self.box.write("away", "")
        await_that(lambda: os.path.exists(self.box.path("said")), "the checkpoint is taken")
        worker.kill()
        self.box.coordinator(*SHORT_LEASE)
        self.worker(agent)
        self.box.zq("wait", task, "--timeout", "60s")
        self.assertEqual(self.result(task), "50000")
        self.assertEqual(self.box.attempts_of(task), [(1, "released"), (2, "completed")])

    def test_usage_and_artifacts_are_handed_over_with_the_attempt(self):
        self.box.coordinator()
        self.worker(self.script('zq usage add --cost-usd 0.09 --input-tokens 1000 --model small\n'
                                'zq usage add --cost-usd 0.01 --output-tokens 20\n'
                                'echo kept > f; zq artifact put f --name notes/kept.txt\n'
                                'zq artifact cat notes/kept.txt\n'))
        task = self.box.submit("r")
        self.box.zq("wait", task, "--timeout", "30s")
        attempt = self.box.show(task)["attempts"][0]
        self.assertEqual({key: attempt["output"].get(key) for key in ("cost_usd_micros", "input_tokens", "output_tokens",
                                                                      "model")},
                         {"cost_usd_micros": "100000", "input_tokens": "1000", "output_tokens": "20", "model": "small"})
        self.assertEqual(self.box.zq("artifact", "cat", task, "notes/kept.txt"), "kept")
        self.assertEqual(self.result(task), "kept")

    def test_a_cancel_is_told_to_a_task_that_asks(self):
        self.box.coordinator(*SHORT_LEASE)
        self.worker(self.script('trap "" TERM\nzq heartbeat\ntouch "$HOME/begun"\n'
                                'code=0\n'
                                'while [ $code = 0 ]; do sleep 0.1; zq heartbeat || code=$?; done\n'
                                'echo "$code" > "$HOME/code.tmp"; mv "$HOME/code.tmp" "$HOME/code"\n'))
        task = self.box.submit("r")
        await_that(lambda: os.path.exists(self.box.path("begun")), "the task runs")
        self.box.zq("cancel", task)
        await_that(lambda: os.path.exists(self.box.path("code")), "the task hears of it")
        with open(self.box.path("code"), encoding="ascii") as code:
            self.assertEqual(code.read().strip(), "11")
        self.box.zq("wait", task, "--timeout", "30s", ok=None)
        self.assertEqual(self.box.state_of(task), "cancelled")

    @unittest.skipIf(zq_client is None, "needs python3-zmq and python3-msgpack")
    def test_the_socket_speaks_for_its_own_attempt_only_and_for_its_owner_only(self):
        self.box.coordinator()
        self.worker(self.script('echo "$ZQ_SOCKET $ZQ_LEASE" > "$HOME/place.tmp"; mv "$HOME/place.tmp" "$HOME/place"\n'
                                'until [ -e "$HOME/go" ]; do sleep 0.05; done\n'))
        other = self.box.submit("nobody")
        task = self.box.submit("r")
        await_that(lambda: os.path.exists(self.box.path("place")), "the task runs")
        with open(self.box.path("place"), encoding="utf-8") as place:
            path, lease = place.read().split()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(os.path.dirname(path)).st_mode & 0o777, 0o700)
        with zq_client.Client(f"ipc://{path}") as client:
            for kind, fields, code in (
                    ("PROGRESS", {"task_id": other, "lease": lease, "percent": 1}, "DENIED"),
                    ("COMPLETE", {"task_id": other}, "DENIED"),
                    ("COMPLETE", {"task_id": task, "lease": lease[:-1] + "9"}, "STALE_LEASE"),
                    ("CANCEL", {"task_id": task}, "DENIED"),
                    ("LIST", {}, "DENIED"),
                    ("PROGRESS", {"task_id": task, "lease": lease, "percent": 101}, "INVALID")):
                with self.assertRaises(zq_client.ZqError) as refused:
                    client.call(kind, **fields)
                self.assertEqual(refused.exception.code, code, kind)
            self.assertEqual(client.call("PROGRESS", task_id=task, lease=lease, percent=7)[1]["state"], "running")
        await_that(lambda: self.box.show(task)["progress_percent"] == 7, "progress is seen")
        self.box.write("go", "")
        self.box.zq("wait", task, "--timeout", "30s")
        await_that(lambda: not os.path.exists(path), "the socket goes with its attempt")


if __name__ == "__main__":
    main()
