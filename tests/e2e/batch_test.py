#!/usr/bin/python3
"""Many tasks in one call, one task for several roles, unique keys, and tasks under the names that other queues use:
on the real programs, through kills, full queues and repeated runs."""

import json
import os
import signal
import subprocess

from zq_e2e import BIN, Case, await_that, main

# As queues for agents write it.
MESSAGE = {
    "task_id": "task-123", "from": "coordinator", "to": "implementation-worker", "type": "implementation",
    "priority": "high", "ttl_seconds": 3600, "reply_to": "results.coordinator",
    "instructions": "Implement one scoped change and run tests.",
    "expected_output": {"format": "markdown", "artifacts": ["summary"]},
}
AGENT_TASK = {
    "task_id": "research-1a2b3c4d", "agent_type": "research", "action": "analyze_codebase",
    "payload": {"repo": "my-project", "depth": "full"}, "priority": 0, "max_retries": 3,
    "created_at": "2026-07-01T12:00:00+00:00", "trace_id": "wf-20260701-001",
}


class Batches(Case):
    def setUp(self):
        super().setUp()
        self.program = self.box.coordinator()

    def stop_and_verify(self):
        self.program.signal(signal.SIGTERM)
        self.program.wait()
        self.box.run(["zq", "journal", "verify", "--data", self.box.data])

    def file(self, tasks, name="tasks.jsonl"):
        lines = [task if isinstance(task, str) else json.dumps(task) for task in tasks]
        return self.box.write(name, "".join(line + "\n" for line in lines))

    def batch(self, path, *flags, ok=(0,), **run):
        return self.box.run(["zq", "batch", "-f", path, *flags], ok=ok, **run)

    def open_tasks(self):
        return int(json.loads(self.box.zq("status", "--json"))["counters"]["open_tasks"])

    def test_every_line_becomes_a_task_and_a_bad_one_is_told_by_its_number(self):
        tasks = [{"to": "research", "instructions": f"look at {n}"} for n in range(1200)]
        tasks[3] = {"to": "research", "ttl_second": 5}
        tasks[700] = '{"to": "research"'
        tasks[701] = ""
        tasks[900] = {"task_id": "named", "to": "research"}
        tasks[901] = {"task_id": "named", "to": "review"}
        done = self.batch(self.file(tasks), "--group", "g", ok=(2,))
        ids = [line.split()[0] for line in done.stdout.decode().splitlines()]
        self.assertEqual(len(ids), 1196)
        ids.remove("named")
        self.assertEqual(ids, sorted(ids))  # the ids that it makes sort by line
        said = done.stderr.decode()
        self.assertIn("line 4: ttl_second: no such field; did you mean `ttl_seconds`?", said)
        self.assertIn("line 701: not JSON", said)
        self.assertIn("line 902: task.task_id: task named was submitted with another body under this id", said)
        self.assertIn("1196 submitted, 3 refused", said)
        self.assertEqual(said.count("no worker has ever served research"), 1)
        self.assertEqual(self.open_tasks(), 1196)
        first = self.box.rows("ls", "--group", "g", "--limit", "1")[0]
        self.assertEqual(first["to"], "research")
        self.stop_and_verify()

    def test_what_is_refused_is_told_behind_what_was_taken_before_it(self):
        tasks = [{"task_id": f"t{n:03}", "to": "r"} for n in range(1, 701)]
        tasks[600] = '{"to": "r"'                        # found while the first 500 are under way
        tasks[649] = {"task_id": "t649", "to": "other"}  # found by the coordinator
        done = subprocess.run([os.path.join(BIN, "zq"), "batch", "-f", self.file(tasks)], env=self.box.env(),
                              cwd=self.box.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        told = done.stdout.decode().splitlines()
        place = {line.split(":")[0] if line.startswith("line ") else line.split()[0]: n for n, line in enumerate(told)}
        self.assertLess(place["t500"], place["line 601"])
        self.assertLess(place["line 601"], place["t501"])
        self.assertLess(place["t649"], place["line 650"])
        self.assertLess(place["line 650"], place["t651"])

    def test_the_names_of_other_queues_are_taken(self):
        self.batch(self.file([MESSAGE, AGENT_TASK]))
        envelope = self.box.show("task-123")["envelope"]
        self.assertEqual((envelope["ttl_ms"], envelope["priority"]), (3600000, 8))
        shown = self.box.show("research-1a2b3c4d")
        envelope = shown["envelope"]
        self.assertEqual((shown["to"], envelope["type"]), ("research", "analyze_codebase"))
        self.assertEqual((envelope["max_attempts"], envelope["priority"]), (4, 0))
        self.assertEqual(envelope["payload"], AGENT_TASK["payload"])
        self.assertEqual(envelope["labels"]["created_at"], AGENT_TASK["created_at"])
        # One task from a file, with a context by reference; flags go before what it says.
        context = self.box.write("shared/tasks/task-124.md", "# Context\n")
        path = self.box.write("task.json", json.dumps(
            MESSAGE | {"task_id": "task-124", "context_ref": "file://" + context}))
        self.box.zq("submit", "-f", path, "--ttl", "2h")
        envelope = self.box.show("task-124")["envelope"]
        self.assertEqual(envelope["ttl_ms"], 7200000)
        self.assertEqual(envelope["inputs"][0]["uri"], "file://" + context)
        # Its result speaks their words too.
        self.box.worker("w1", "implementation-worker", ["sh", "-c", "cp $ZQ_TASK_DIR/context/* $ZQ_RESULT; "
                                                        "printf 'summary=done\\nstatus=success\\n' > $ZQ_OUTPUT"])
        self.box.zq("wait", "task-124", "--timeout", "60s")
        result = json.loads(self.box.zq("result", "task-124", "--json"))
        self.assertEqual((result["status"], result["result"], result["to"]),
                         ("success", "# Context\n", "implementation-worker"))
        self.assertEqual(result["result_ref"][:14], "zq://task-124/")
        self.assertGreaterEqual(result["duration_ms"], 0)
        answers = self.box.rows("results", "--reply-to", "results.coordinator")
        self.assertIn(("task-124", "success"), [(row["id"], row["status"]) for row in answers])

    def test_contexts_travel_along_small_and_large(self):
        large = "x" * 40000
        self.batch(self.file([{"task_id": f"t{n}", "to": "r", "context": text}
                              for n, text in enumerate(["small", large, "small"])]))
        self.box.worker("w1", "r", ["sh", "-c", "cat $ZQ_TASK_DIR/context/context.md > $ZQ_RESULT"])
        self.box.zq("wait", "t0", "t1", "t2", "--timeout", "60s")
        self.assertEqual(self.box.zq("result", "t0"), "small")
        self.assertEqual(self.box.zq("result", "t1"), large)

    def test_an_atomic_file_is_taken_whole_or_not_at_all(self):
        self.box.submit("r", "--id", "taken", "--instructions", "x")
        tasks = [{"task_id": "a", "to": "r"}, {"task_id": "taken", "to": "r"}]
        done = self.batch(self.file(tasks), "--atomic", ok=(5,))
        self.assertIn("line 2: task.task_id", done.stderr.decode())
        self.assertIn("0 submitted, 1 refused: so none was taken", done.stderr.decode())
        self.assertEqual(self.open_tasks(), 1)
        done = self.batch(self.file(["{", {"to": "r"}]), "--atomic", ok=(2,))
        self.assertEqual(self.open_tasks(), 1)
        done = self.batch(self.file([{"to": "r"}] * 501), "--atomic", ok=(2,))
        self.assertIn("with line 501 they do not fit one request", done.stderr.decode())
        self.assertEqual(self.open_tasks(), 1)
        self.batch(self.file(tasks[:1] + [{"to": "r"}] * 499), "--atomic")
        self.assertEqual(self.open_tasks(), 501)

    def test_a_dry_run_changes_nothing(self):
        done = self.batch(self.file([{"to": "r"}, {"to": "r", "priority": "hihg"}]), "--dry-run", ok=(2,))
        self.assertIn("1 would be submitted, 1 refused", done.stderr.decode())
        self.assertEqual(self.open_tasks(), 0)

    def test_a_killed_run_goes_on_from_its_job_log_and_doubles_nothing(self):
        count = 6000
        path = self.file([{"to": "r", "instructions": f"do {n}"} for n in range(count)])
        log = self.box.path("job.log")
        killed = subprocess.Popen([os.path.join(BIN, "zq"), "batch", "-f", path, "--joblog", log, "-o", "none"],
                                  env=self.box.env(), cwd=self.box.folder, stderr=subprocess.DEVNULL)
        await_that(lambda: os.path.exists(log) and os.path.getsize(log) > 40000, "some lines are acknowledged")
        killed.kill()
        killed.wait()
        # What was being written when it ended is not a line; the coordinator dies as well.
        with open(log, "a", encoding="utf-8") as file:
            file.write('{"line": 5')
        self.program.kill()
        self.program = self.box.coordinator()
        done = self.batch(path, "--joblog", log, "-o", "none")
        self.assertIn("by an earlier run", done.stderr.decode())
        self.assertEqual(self.open_tasks(), count)
        done = self.batch(path, "--joblog", log)
        self.assertIn(f"0 submitted, {count} by an earlier run", done.stderr.decode())
        with open(log, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file][1:]
        self.assertEqual(sorted(line["line"] for line in lines), list(range(1, count + 1)))
        self.assertEqual(len({line["id"] for line in lines}), count)
        # Another file under it is not what was submitted.
        other = self.file([{"to": "r", "instructions": "other"}], "other.jsonl")
        done = self.batch(other, "--joblog", log, ok=(5,))
        self.assertIn("line 1: the job log says that another line stood here", done.stderr.decode())
        self.box.write("notes.txt", "keep me")
        self.batch(path, "--joblog", self.box.path("notes.txt"), ok=(2,))
        with open(self.box.path("notes.txt"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "keep me")
        self.stop_and_verify()

    def test_wrong_command_lines_are_refused(self):
        self.batch("/nowhere.jsonl", ok=(2,))
        self.box.run(["zq", "batch"], ok=(2,))
        self.batch(self.file([{"to": "r"}]), "--group", "a b", ok=(2,))
        done = self.box.run(["zq", "batch", "-f", "-"], stdin=b'{"to":"r"}\n{"to":"r"}')
        self.assertEqual(len(done.stdout.decode().splitlines()), 2)


class FullQueue(Case):
    def test_a_full_queue_is_waited_for(self):
        box = self.box
        box.coordinator("--max-open-tasks", "20")
        path = box.write("tasks.jsonl", "".join(json.dumps({"to": "r", "task_id": f"t{n}"}) + "\n" for n in range(30)))
        done = box.run(["zq", "batch", "-f", path, "--timeout", "1s"], ok=(7,))
        self.assertEqual(len(done.stdout.decode().splitlines()), 20)
        self.assertIn("line 21: 20 tasks are open; waiting", done.stderr.decode())
        box.worker("w1", "r", ["true"])
        done = box.run(["zq", "batch", "-f", path])
        self.assertIn("10 submitted, 20 were there before", done.stderr.decode())


class SeveralRoles(Case):
    def setUp(self):
        super().setUp()
        self.box.coordinator()

    def test_each_role_gets_a_copy_in_one_group(self):
        box = self.box
        lines = box.zq("submit", "--to", "a,b,c", "--id", "look", "--instructions", "look").splitlines()
        self.assertEqual([line.split() for line in lines],
                         [[f"look-{role}", "queued", role] for role in "abc"])
        self.assertEqual({row["group"] for row in box.rows("ls")}, {"look"})
        again = box.run(["zq", "submit", "--to", "a,b,c", "--id", "look", "--instructions", "look"])
        self.assertIn("look-a was submitted before", again.stderr.decode())
        # None of them is made where one cannot be.
        box.submit("x", "--id", "job-b", "--instructions", "in the way")
        box.run(["zq", "submit", "--to", "a,b", "--id", "job", "--instructions", "look"], ok=(5,))
        box.run(["zq", "show", "job-a"], ok=(3,))
        box.run(["zq", "submit", "--to", "a,a"], ok=(2,))
        box.run(["zq", "submit", "--to", "a,", "--dry-run"])

    def test_waiting_waits_for_all_and_a_key_makes_it_repeatable(self):
        box = self.box
        for role in ("a", "b"):
            box.worker(f"w-{role}", role, ["sh", "-c", f"echo {role} > $ZQ_RESULT"])
        context = box.write("context.md", "read me")
        flags = ("submit", "--to", "a,b", "--key", "once", "--file", context, "--wait", "--timeout", "60s")
        ended = box.rows(*flags)
        self.assertEqual({row["state"] for row in ended}, {"completed"})
        self.assertEqual({row["id"] for row in box.rows(*flags)}, {row["id"] for row in ended})
        self.assertEqual(len(box.rows("ls")), 2)

    def test_a_task_can_ask_several_roles(self):
        box = self.box
        box.worker("w1", "boss", ["sh", "-c", f"{os.path.join(BIN, 'zq')} submit --to a,b --instructions go -q"])
        box.submit("boss", "--id", "parent", "--instructions", "x")
        box.zq("wait", "parent", "--timeout", "60s")
        self.assertEqual({row["to"] for row in box.rows("ls") if row["id"] != "parent"}, {"a", "b"})


class UniqueKeys(Case):
    def setUp(self):
        super().setUp()
        self.program = self.box.coordinator()

    def test_at_most_one_unfinished_task_has_it_through_a_kill_and_a_replay(self):
        box = self.box
        flags = ("--unique-key", "deploy", "--instructions", "deploy", "--max-attempts", "1")
        box.submit("r", "--id", "one", *flags)
        self.program.kill()
        self.program = box.coordinator()
        refused = box.run(["zq", "submit", "--to", "r", "--id", "two", *flags], ok=(5,))
        self.assertIn("task one has this unique key", refused.stderr.decode())
        self.assertEqual(box.submit("r", "--id", "two", *flags, "--on-unique", "existing"), "one")
        box.zq("fail", "one", "--from", "me", "--reason", "no")
        box.submit("r", "--id", "two", *flags)
        refused = box.run(["zq", "dlq", "replay", "one"], ok=(5,))
        self.assertIn("task two has the unique key of task one", refused.stderr.decode())
        box.zq("cancel", "two")
        box.zq("dlq", "replay", "one")
        self.assertEqual(box.state_of("one"), "queued")
        box.run(["zq", "submit", "--to", "r", *flags], ok=(5,))
        box.run(["zq", "submit", "--to", "r", "--on-unique", "existing"], ok=(2,))
        self.program.signal(signal.SIGTERM)
        self.program.wait()
        box.run(["zq", "journal", "verify", "--data", box.data])


if __name__ == "__main__":
    main()
