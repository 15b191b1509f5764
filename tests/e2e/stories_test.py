#!/usr/bin/python3
"""The stories that made people build a layer for agents on a stream of messages, with zq instead: a supervisor that fans work
out, dead letters brought back, what a monitor reads, the four faults that such code has, and agents that come and go. Tasks
are written as such programs write them: agent_type, action, payload, max_retries, ttl_seconds, trace_id."""

import collections
import json
import os
import signal
import subprocess

from zq_e2e import BIN, CHILD, PATIENCE, Case, await_that, is_alive, main

SHORT_LEASE = ("--lease", "2s", "--heartbeat", "400ms")
REPO = "https://github.com/org/my-project"
RESEARCH = [
    {"task_id": "security", "agent_type": "research", "action": "analyze_codebase", "payload": {"repo": REPO, "depth": "security"}},
    {"task_id": "speed", "agent_type": "research", "action": "analyze_codebase", "payload": {"repo": REPO, "depth": "performance"}},
    {"task_id": "docs", "agent_type": "research", "action": "search_docs", "payload": {"repo": REPO, "query": "architecture"}},
]
FOUND = {
    "security": {"findings": ["security issues in " + REPO]},
    "speed": {"findings": ["performance issues in " + REPO]},
    "docs": {"sources": ["docs/architecture.md"]},
}
# One agent for every role: what it does is the task's action.
AGENT = """
import glob, json, os
with open(os.environ["ZQ_TASK_DIR"] + "/task.json") as file:
    task = json.load(file)
payload, action = json.loads(task["payload"]), task["type"]
output = None
if action == "analyze_codebase":
    output = {"findings": [payload["depth"] + " issues in " + payload["repo"]]}
elif action == "search_docs":
    output = {"sources": ["docs/" + payload["query"] + ".md"]}
elif action == "generate_summary":
    findings = payload.get("findings")
    if findings is None:
        findings = [json.load(open(each)) for each in sorted(glob.glob("deps/*/result.json"))]
    output = {"report": findings}
if output is None:
    with open(os.environ["ZQ_OUTPUT"], "a") as file:
        file.write("status=failure\\nreason=Unknown action: " + action + "\\n")
else:
    with open(os.environ["ZQ_OUT"] + "/result.json", "w") as file:
        json.dump(output, file)
"""
# The supervisor as a task of its own: it fans out, waits, reads, and hands on what it read.
SUPERVISOR = """
import json, os, subprocess
def zq(*argv, **run):
    return subprocess.run(["zq", *argv], check=True, text=True, stdout=subprocess.PIPE, **run).stdout
with open(os.environ["ZQ_TASK_DIR"] + "/task.json") as file:
    plan = json.loads(json.load(file)["payload"])["plan"]
lines = "".join(json.dumps(each) + "\\n" for each in plan)
ids = zq("batch", "-f", "-", "--group", "research", "-q", input=lines).split()
zq("wait", *ids, "--timeout", "60s")
findings = [json.loads(zq("result", each)) for each in ids]
report = {"task_id": "report", "agent_type": "report", "action": "generate_summary", "payload": {"findings": findings}}
zq("submit", "-f", "-", input=json.dumps(report))
zq("wait", "report", "--timeout", "60s")
print(zq("result", "report"), end="")
"""


class Story(Case):
    def file(self, tasks: list[dict], name: str = "tasks.jsonl") -> str:
        return self.box.write(name, "".join(json.dumps(task) + "\n" for task in tasks))

    def dispatch(self, tasks: list[dict], *flags: str) -> list[str]:
        return self.box.zq("batch", "-f", self.file(tasks), "--atomic", "-q", *flags).split()

    def agent(self, name: str, role: str, script: str = AGENT, flags: tuple = ()):
        """A worker whose agent may use `zq`, and knows where the coordinator is."""
        path = self.box.write(f"{name}.py", script)
        env = self.box.env(PATH=f"{BIN}:{os.environ['PATH']}")
        return self.box.worker(name, role, [CHILD[0], path], flags=("--env", "ZQ_CONNECT", *flags), env=env)

    def output(self, task: str) -> dict:
        return json.loads(self.box.zq("result", task))

    def stderr(self, *argv: str, ok: tuple = (0,)) -> str:
        return self.box.run(["zq", *argv], ok=ok).stderr.decode()

    def by_role(self, *keys: str) -> dict:
        """What `zq stats` says of each role: {role: value}, or {role: (values)}."""
        rows = self.box.rows("stats", "--by", "role")
        return {row["id"]: tuple(row[key] for key in keys) if len(keys) > 1 else row[keys[0]] for row in rows}

    def pending(self) -> collections.Counter:
        """How many tasks each worker holds."""
        return collections.Counter(lease["worker"] for lease in self.box.rows("leases"))

    def kill_with_children(self, worker) -> None:
        """kill -9 of a worker and of all that it runs."""
        mine = {lease["id"] for lease in self.box.rows("leases") if lease["worker"] == worker.name.removeprefix("worker-")}
        worker.kill()
        for task in mine:
            for _, pid in self.box.lives(task):
                if is_alive(pid):
                    os.kill(pid, signal.SIGKILL)
                await_that(lambda gone=pid: not is_alive(gone), "the child is gone")


class Supervisor(Story):
    def test_it_fans_out_as_a_task_waits_and_hands_on_what_was_found(self):
        box = self.box
        box.coordinator()
        for name, role in (("research-w1", "research"), ("research-w2", "research"), ("report-w1", "report")):
            self.agent(name, role)
        self.agent("supervisor-w1", "supervisor", SUPERVISOR)
        task = {"task_id": "flow", "agent_type": "supervisor", "action": "run_research_workflow", "payload": {"plan": RESEARCH},
                "trace_id": "wf-20260701-001", "ttl_seconds": 3600, "max_retries": 0}
        box.zq("submit", "-f", box.write("task.json", json.dumps(task)))
        box.zq("wait", "flow", "--timeout", "90s", seconds=100)
        found = [FOUND[task["task_id"]] for task in RESEARCH]
        self.assertEqual(self.output("flow"), {"report": found})
        self.assertEqual(box.show("report")["envelope"]["payload"], {"findings": found})
        # One trace id leads from the request to all that came of it, in the order in which it came.
        self.assertEqual({row["id"] for row in box.rows("ls", "--trace", "wf-20260701-001")}, {"flow", "report", *FOUND})
        told = [(row["id"], row["kind"])
                for row in box.rows("events", "--trace", "wf-20260701-001", "--type", "task_submitted,attempt_ended")]
        for each in FOUND:
            self.assertLess(told.index((each, "attempt_ended")), told.index(("report", "task_submitted")))
        self.assertEqual(told[-1], ("flow", "attempt_ended"))

    def test_a_report_handed_in_beforehand_starts_when_all_it_waits_for_is_there(self):
        box = self.box
        box.coordinator()
        roles = ("research", "review", "docs")
        ids = self.dispatch([task | {"agent_type": role} for task, role in zip(RESEARCH, roles)], "--group", "wf")
        path = box.write("report.json", json.dumps({"task_id": "report", "agent_type": "report", "action": "generate_summary",
                                                    "payload": {}}))
        box.zq("submit", "-f", path, "--after", ",".join(ids))
        for role in ("report", *roles[:2]):
            self.agent(f"{role}-w1", role)
        # The time limit: what has ended is told, what has not is told apart, and the work goes on.
        box.zq("wait", *ids, "--count", "2", "--timeout", "60s")
        over = box.run(["zq", "wait", *ids, "--timeout", "100ms", "--json"], ok=(8,))
        said = json.loads(over.stdout)
        self.assertEqual(({row["id"] for row in said["items"]}, said["more"]), ({"security", "speed"}, True))
        self.assertEqual(json.loads(over.stderr)["error"]["code"], "NOT_FINISHED")
        self.assertEqual(box.state_of("report"), "blocked")
        self.assertIn("waits for 1 task of 3", box.zq("why", "report"))
        self.agent("docs-w1", "docs")
        box.zq("wait", "report", "--timeout", "60s")
        self.assertEqual(self.output("report"), {"report": [FOUND[each] for each in sorted(ids)]})

    def test_research_that_fails_is_told_with_its_reason_and_no_report_is_made(self):
        box = self.box
        box.coordinator()
        ids = self.dispatch([*RESEARCH[:2], RESEARCH[2] | {"action": "guess", "max_retries": 0}])
        box.submit("report", "--id", "report", "--type", "generate_summary", "--payload", "{}", "--after", ",".join(ids))
        self.agent("research-w1", "research")
        self.agent("report-w1", "report")
        ended = box.rows("wait", *ids, "--timeout", "60s", ok=(10,))
        self.assertEqual({row["id"]: row["status"] for row in ended},
                         {"security": "success", "speed": "success", "docs": "failure"})
        self.assertEqual(json.loads(box.zq("result", "docs", "--json", ok=(10,)))["error"], "Unknown action: guess")
        self.assertEqual(box.state_of("report"), "skipped")
        self.assertEqual(box.show("report")["attempts"], [])


class Recovery(Story):
    def test_dead_letters_are_listed_repaired_and_replayed_one_by_one_and_all(self):
        box = self.box
        box.coordinator()
        wrong = [RESEARCH[0] | {"task_id": f"r{n}", "action": "analyse", "max_retries": 1, "backoff": "none", "trace_id": f"wf-{n}",
                                "context": f"notes of {n}"} for n in range(5)]
        wrong[0] |= {"action": "analyze_codebase", "payload": {"depth": "security"}}
        other = {"task_id": "other", "agent_type": "review", "action": "guess", "payload": {}, "max_retries": 0}
        ids = self.dispatch([*wrong, other])
        worker = self.agent("w1", "research", flags=("--role", "review", "--slots", "4"))
        self.assertEqual(len(box.rows("wait", *ids, "--timeout", "60s", ok=(10,))), 6)
        letters = json.loads(box.zq("dlq", "ls", "--role", "research", "--json"))["items"]
        self.assertEqual({(row["id"], row["attempts"], row["dead_reason"], row["reason"]) for row in letters},
                         {("r0", 2, "attempts_exhausted", "exit code 1: KeyError: 'repo'"),
                          *((f"r{n}", 2, "attempts_exhausted", "Unknown action: analyse") for n in range(1, 5))})
        # One task is at fault: it is repaired. Nothing runs before it is replayed.
        box.zq("dlq", "edit", "r0", "--payload", json.dumps(RESEARCH[0]["payload"]), "--because", "it named no repo")
        self.assertEqual(box.state_of("r0"), "dead")
        self.assertEqual(self.stderr("dlq", "replay", "r0"), "")
        box.zq("wait", "r0", "--timeout", "60s")
        self.assertEqual(self.output("r0"), FOUND["security"])
        # The agent is at fault with the others: a better one comes, and they are replayed as they were.
        worker.process.terminate()
        self.assertEqual(worker.wait(), 0)
        self.agent("w2", "research", AGENT.replace("analyze_codebase", "analyse"))
        self.assertIn("4 tasks: 4 of research attempts_exhausted", self.stderr("dlq", "replay", "--role", "research", ok=(2,)))
        self.assertIn("dry run: 4 would be queued again", self.stderr("dlq", "replay", "--role", "research", "--dry-run"))
        self.assertEqual(len(box.rows("dlq", "ls")), 5)
        replayed = box.run(["zq", "dlq", "replay", "--role", "research", "--yes"])
        self.assertIn("4 of 4 are queued again", replayed.stderr.decode())
        self.assertEqual(len(replayed.stdout.decode().splitlines()), 4)
        box.zq("wait", *ids[:5], "--timeout", "60s")
        for n in range(1, 5):
            shown = box.show(f"r{n}")
            self.assertEqual(shown["trace_id"], f"wf-{n}")
            self.assertEqual(box.zq("artifact", "cat", f"r{n}", "context.md"), f"notes of {n}")
            self.assertEqual(box.attempts_of(f"r{n}"), [(1, "failed"), (2, "failed"), (3, "completed")])
            self.assertEqual(self.output(f"r{n}"), FOUND["security"])
        self.assertEqual([row["id"] for row in box.rows("dlq", "ls")], ["other"])


class Monitor(Story):
    def test_backlog_pending_and_consumers_tell_of_a_crashed_worker(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        ids = self.dispatch([RESEARCH[0] | {"task_id": f"r{n}"} for n in range(5)] + [{"task_id": "v0", "agent_type": "review"}])
        self.assertEqual(self.by_role("queued", "running", "workers"), {"research": (5, 0, 0), "review": (1, 0, 0)})
        await_that(lambda: self.by_role("oldest_ms")["research"] > 0, "the oldest has an age")
        workers = [box.worker(name, "research", flags=("--slots", "2")) for name in ("w1", "w2")]
        for task in ids[:4]:
            box.await_child(task, 1)
            box.await_confirmed(task)
        self.assertEqual(self.pending(), {"w1": 2, "w2": 2})
        self.assertEqual({lease["attempt"] for lease in box.rows("leases", "--role", "research")}, {1})
        self.assertEqual(self.by_role("queued", "running", "workers", "slots"), {"research": (1, 4, 2, 4), "review": (1, 0, 0, 0)})
        self.kill_with_children(workers[0])
        # Its consumer is missed, what it held is backlog again, and the next delivery is counted.
        await_that(lambda: [row["id"] for row in box.rows("worker", "ls")] == ["w2"], "the killed worker is missed", 30)
        await_that(lambda: self.by_role("queued", "lost")["research"] == (3, 2), "what it held is queued again", 30)
        self.assertEqual(self.pending(), {"w2": 2})
        box.worker("w3", "research", flags=("--slots", "3"))
        await_that(lambda: self.pending() == {"w2": 2, "w3": 3}, "another one holds it", 30)
        self.assertEqual(collections.Counter(lease["attempt"] for lease in box.rows("leases")), {1: 3, 2: 2})
        box.let_go()
        box.zq("wait", *ids[:5], "--timeout", "60s")
        self.assertEqual(self.by_role("queued", "running", "completed"), {"research": (0, 0, 5), "review": (1, 0, 0)})

    def test_dead_letters_are_counted_and_their_growth_is_told(self):
        box = self.box
        box.coordinator()
        bad = {"agent_type": "research", "action": "guess", "payload": {}, "max_retries": 1, "backoff": "none"}
        ids = self.dispatch([bad] * 3 + [RESEARCH[0] | {"agent_type": "review"}])
        self.agent("w1", "research", flags=("--role", "review"))
        box.zq("wait", *ids, "--timeout", "60s", ok=(10,))
        self.assertEqual(self.by_role("dlq", "dlq_growth", "failed", "retries", "failure_permille"),
                         {"research": (3, 3, 6, 3, 1000), "review": (0, 0, 0, 0, 0)})
        everything = json.loads(box.zq("stats", "--json"))
        self.assertEqual((everything["dlq"], everything["dlq_growth"], everything["completed"]), (3, 3, 1))
        self.assertEqual(len(json.loads(box.zq("dlq", "ls", "--role", "research", "--json"))["items"]), 3)
        dead = {row["id"]: row["dead"] for row in json.loads(box.zq("status", "--json"))["roles"]}
        self.assertEqual(dead, {"research": 3, "review": 0})
        box.zq("dlq", "purge", "--role", "research", "--because", "they asked for nothing", "--yes")
        self.assertEqual(self.by_role("dlq", "dlq_growth")["research"], (0, 0))


class Faults(Story):
    """Of the code that such a stream was used by."""

    def test_retries_are_counted_from_the_first_and_the_worker_knows_which_it_is(self):
        box = self.box
        box.coordinator()
        self.dispatch([RESEARCH[0] | {"max_retries": 3, "backoff": "none"}])
        box.worker("w1", "research", ["sh", "-c", "echo $ZQ_ATTEMPT > $ZQ_OUT/number; cp task.json $ZQ_OUT/said.json; exit 1"])
        box.zq("wait", "security", "--timeout", "60s", ok=(10,))
        self.assertEqual(box.attempts_of("security"), [(number, "failed") for number in (1, 2, 3, 4)])
        for number in (1, 2, 3, 4):
            self.assertEqual(box.zq("artifact", "cat", "security", "number", "--attempt", str(number)), str(number))
            said = json.loads(box.zq("artifact", "cat", "security", "said.json", "--attempt", str(number)))
            self.assertEqual((said["attempt"], said["max_attempts"]), (number, 4))
        letter = box.rows("dlq", "ls")[0]
        self.assertEqual((letter["attempts"], letter["failures"], letter["dead_reason"]), (4, 4, "attempts_exhausted"))

    def test_what_a_crashed_worker_held_is_given_to_another_one_and_costs_no_retry(self):
        box = self.box
        box.coordinator(*SHORT_LEASE)
        worker = box.worker("w1", "research")
        self.dispatch([RESEARCH[0] | {"max_retries": 0}])
        box.await_child("security", 1)
        box.await_confirmed("security")
        box.worker("w2", "research")
        await_that(lambda: len(box.rows("worker", "ls")) == 2, "the other one is there")
        self.kill_with_children(worker)
        box.await_child("security", 2, seconds=30)
        self.assertEqual([(lease["worker"], lease["attempt"]) for lease in box.rows("leases")], [("w2", 2)])
        box.let_go()
        box.zq("wait", "security", "--timeout", "60s")
        self.assertEqual(box.attempts_of("security"), [(1, "lost"), (2, "completed")])
        shown = box.show("security")
        self.assertEqual((shown["losses"], shown["failures"], shown["max_attempts"]), (1, 0, 1))
        box.assert_never_two_at_once("security")

    def test_a_full_queue_refuses_what_is_new_and_nothing_unfinished_is_ever_removed(self):
        box = self.box
        settings = box.write("settings.toml", '[retention]\nunreferenced = "1s"\nfinished = "1s"\ndead = "1s"\nlogs = "1s"\n'
                             'artifacts = "1s"\nfinished_bytes = "1B"\ndead_bytes = "1B"\n')
        flags = ("--max-open-tasks", "5", "--config", settings)
        program = box.coordinator(*flags)
        tasks = [RESEARCH[0] | {"task_id": f"r{n}", "context": f"notes of {n}"} for n in range(6)]
        self.dispatch(tasks[:5])
        new = ["zq", "submit", "-f", box.write("task.json", json.dumps(tasks[5])), "--json"]
        refused = json.loads(box.run(new, ok=(7,)).stderr)["error"]
        self.assertEqual((refused["code"], refused["retryable"], refused["exit"]), ("QUEUE_FULL", True, 7))
        # What has ended makes room, and goes when its time has come; what has not, stays, through a kill too.
        box.zq("complete", "r0", "--from", "me", "--summary", "done")
        box.run(new)
        box.run(["zq", "submit", "--to", "research", "--id", "r6"], ok=(7,))
        await_that(lambda: box.run(["zq", "show", "r0"], ok=(0, 3)).returncode == 3, "the finished one is removed", 30)
        program.kill()
        box.coordinator(*flags)
        box.zq("gc")
        self.assertEqual([row["id"] for row in box.rows("ls", "--state", "queued")], ["r5", "r4", "r3", "r2", "r1"])
        box.worker("w1", "research", ["sh", "-c", "cat context/* > $ZQ_OUT/context; echo summary=$(cat context/*) >> $ZQ_OUTPUT"])
        await_that(lambda: not box.rows("ls"), "all are done, and removed in their turn", 60)
        ended = [row["fields"] for row in box.rows("events", "--type", "attempt_ended")][1:]
        self.assertEqual([(each["outcome"], each["summary"]) for each in ended],
                         [("completed", f"notes of {n}") for n in range(1, 6)])

    def test_all_results_are_seen_and_not_only_the_first_ten(self):
        box = self.box
        box.coordinator()
        ids = self.dispatch([RESEARCH[0] | {"task_id": f"r{n:02d}", "reply_to": "supervisor"} for n in range(15)], "--group", "wf")
        box.worker("w1", "research", ["sh", "-c", "echo found by $ZQ_TASK_ID > $ZQ_RESULT"], flags=("--slots", "4"))
        ended = box.rows("wait", "--group", "wf", "--timeout", "60s")
        self.assertEqual(sorted(row["id"] for row in ended), ids)
        told = box.rows("events", "--group", "wf", "--type", "attempt_ended")
        self.assertEqual(sorted(row["id"] for row in told), ids)
        answers = box.rows("results", "--reply-to", "supervisor")
        self.assertEqual(sorted(row["id"] for row in answers), ids)
        # Whoever has read ten goes on after the tenth, and reads none twice.
        rest = box.rows("results", "--reply-to", "supervisor", "--since", str(answers[9]["changed_seq"]))
        self.assertEqual([row["id"] for row in rest], [row["id"] for row in answers[10:]])
        rest = box.rows("events", "--group", "wf", "--type", "attempt_ended", "--since", str(told[9]["seq"]))
        self.assertEqual([row["id"] for row in rest], [row["id"] for row in told[10:]])
        self.assertEqual([box.zq("result", each) for each in ids], [f"found by {each}" for each in ids])


class ComeAndGo(Story):
    def test_a_request_is_answered_at_once_and_workers_that_come_and_go_share_the_backlog(self):
        box = self.box
        box.coordinator()
        ids = [box.submit("research", "--instructions", f"part {n}") for n in range(6)]
        box.run(["zq", "result", ids[0]], ok=(8,))
        first = box.worker("w1", "research")
        box.await_child(ids[0], 1)
        self.assertEqual(self.by_role("queued", "running"), {"research": (5, 1)})
        box.worker("w2", "research", flags=("--slots", "2"))
        for task in ids[1:3]:
            box.await_child(task, 1)
        self.assertEqual(self.by_role("queued", "running"), {"research": (3, 3)})
        self.assertEqual(self.pending(), {"w1": 1, "w2": 2})
        # No more run than there are slots for: the next one starts when one of them has ended.
        box.let_go(ids[1])
        box.await_child(ids[3], 1)
        self.assertEqual(self.pending(), {"w1": 1, "w2": 2})
        self.assertEqual(self.by_role("queued", "running", "completed"), {"research": (2, 3, 1)})
        # One worker fewer: it ends what it has, and the other one does the rest.
        first.process.terminate()
        await_that(lambda: "drain" in first.output().lower(), "it takes nothing new")
        box.let_go()
        box.zq("wait", *ids, "--timeout", "60s")
        self.assertEqual(first.wait(), 0)
        attempts = [box.show(task)["attempts"] for task in ids]
        self.assertEqual([[(each["worker"], each["outcome"]) for each in row] for row in attempts],
                         [[("w1", "completed")]] + [[("w2", "completed")]] * 5)

    def test_an_agent_wakes_when_work_for_its_role_arrives(self):
        box = self.box
        box.coordinator()
        sleeper = subprocess.Popen([os.path.join(BIN, "zq"), "claim", "--role", "review", "--wait", "60s", "--json"],
                                   env=box.env(), cwd=box.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        await_that(lambda: json.loads(box.zq("status", "--json"))["counters"]["polls"] == "1", "it sleeps at the coordinator")
        box.submit("research", "--id", "for-others")
        self.assertIsNone(sleeper.poll())
        box.submit("review", "--id", "for-it", "--from", "webhook")
        claimed, _ = sleeper.communicate(timeout=30 * PATIENCE)
        self.assertEqual(json.loads(claimed)["id"], "for-it")


if __name__ == "__main__":
    main()
