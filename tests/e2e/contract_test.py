#!/usr/bin/python3
"""Result contracts with real programs: what breaks one is told to the next attempt, which mends it; the
coordinator checks again; a check outside the agent; payloads by schema; evidence that is hashed again; a
context by reference that drifts."""

import glob
import json
import os

from zq_e2e import Case, await_that, main

RISKS = {"type": "object", "required": ["risks"],
         "properties": {"risks": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/risk"}}},
         "$defs": {"risk": {"type": "object", "required": ["level"], "properties": {"level": {"enum": ["low", "high"]}}}}}


class ContractCase(Case):
    def worker(self, script: str, *flags: str, name: str = "w"):
        path = self.box.write(f"agent-{name}.sh", "set -e\n" + script)
        return self.box.worker(name, "r", ["/bin/sh", path], flags=("--grace", "2s", *flags))

    def submit(self, *flags: str) -> str:
        return self.box.submit("r", "--instructions", "List the risks.", "--backoff", "none", *flags)

    def attempts(self, task: str) -> list[dict]:
        return self.box.show(task)["attempts"]

    def wait(self, task: str, code: int = 0) -> None:
        self.box.zq("wait", task, "--timeout", "60s", ok=(code,))

    def refused(self, *argv: str, code: int = 2) -> str:
        return self.box.run(["zq", *argv], ok=(code,)).stderr.decode()


class Feedback(ContractCase):
    def test_the_second_attempt_reads_what_was_wrong_with_the_first_and_mends_it(self):
        self.box.coordinator()
        self.worker("""
            if [ "$ZQ_ATTEMPT" = 1 ]; then
                test ! -e "$ZQ_TASK_DIR/feedback.md"
                printf '# Report\\n\\nAll is well.\\n' > "$ZQ_RESULT"
                exit 0
            fi
            grep -q 'result.md lacks the heading "Risks"' "$ZQ_FEEDBACK_FILE"
            grep -q 'patch is missing' "$ZQ_TASK_DIR/feedback.md"
            grep -q 'The result of attempt 1 was not accepted' "$ZQ_PROMPT_FILE"
            cp "$ZQ_TASK_DIR/feedback.md" "$ZQ_OUT/what-i-was-told.md"
            printf '# Report\\n\\n## Risks\\n\\nNone.\\n' > "$ZQ_RESULT"
            echo '--- a' > "$ZQ_OUT/patch.diff"
            """)
        task = self.submit("--heading", "Risks", "--expect", "patch:media=text/x-diff:max=1MiB")
        self.wait(task)
        first, second = self.attempts(task)
        self.assertEqual((first["outcome"], first["class"]), ("failed", "contract"))
        self.assertEqual(first["reason"], 'patch is missing; result.md lacks the heading "Risks"')
        self.assertEqual(second["outcome"], "completed")
        self.assertEqual(self.box.zq("result", task), "# Report\n\n## Risks\n\nNone.")
        told = self.box.zq("artifact", "cat", task, "what-i-was-told.md")
        self.assertEqual(told, "# The result of attempt 1 was not accepted\n\n" + first["reason"])

    def test_a_result_is_held_against_its_schema_and_its_size(self):
        self.box.coordinator()
        self.worker("""
            case "$ZQ_ATTEMPT" in
            1) echo 'no JSON' > "$ZQ_RESULT" ;;
            2) echo '{"risks": [{"level": "odd"}]}' > "$ZQ_RESULT" ;;
            3) printf '{"risks": [{"level": "low"}], "pad": "%0500d"}' 0 > "$ZQ_RESULT" ;;
            *) echo '{"risks": [{"level": "low"}]}' > "$ZQ_RESULT" ;;
            esac
            """)
        schema = self.box.write("risks.json", json.dumps(RISKS))
        task = self.submit("--schema", schema, "--max-result", "256B", "--max-attempts", "5")
        self.wait(task)
        reasons = [each.get("reason", "") for each in self.attempts(task)]
        self.assertIn("result.json is not JSON: ", reasons[0])
        self.assertIn("result.json does not fit its schema: at /risks/0/level: ", reasons[1])
        self.assertIn("at most 256 were expected", reasons[2])
        self.assertEqual(reasons[3], "")

    def test_a_task_whose_attempts_all_break_it_is_dead_for_that_reason(self):
        self.box.coordinator()
        self.worker("echo nothing > \"$ZQ_RESULT\"")
        task = self.submit("--expect", "patch:min=1", "--max-attempts", "2")
        self.wait(task, code=10)
        shown = self.box.show(task)
        self.assertEqual((shown["state"], shown["dead_reason"]), ("dead", "contract"))
        self.assertEqual([each["class"] for each in shown["attempts"]], ["contract", "contract"])


class SecondCheck(ContractCase):
    """No worker of ours: what is handed over by hand is checked by the coordinator alone."""

    def hand_over(self, task: str, text: str, code: int) -> str:
        result = self.box.write("result.md", text)
        done = self.box.run(["zq", "complete", task, "--from", "me", "--result-file", result], ok=(code,))
        return done.stderr.decode()

    def test_the_coordinator_refuses_what_does_not_meet_the_contract(self):
        self.box.coordinator()
        task = self.submit("--heading", "Risks")
        long = "x" * 100_000  # put as an artifact, not inside the message
        for text in ("# Report\n", "# Report\n" + long):
            said = self.hand_over(task, text, code=2)
            self.assertIn('lacks the heading "Risks"', said)
            self.assertNotEqual(self.box.state_of(task), "completed")
        self.hand_over(task, "# Risks\n" + long, code=0)
        self.assertEqual(self.box.state_of(task), "completed")

    def test_a_broken_contract_is_refused_at_submit_and_names_the_flag_or_the_field(self):
        self.box.coordinator()
        pattern = self.box.write("pattern.json", '{"properties": {"id": {"pattern": "^(a+)+$"}}}')
        said = self.refused("submit", "--to", "r", "--schema", pattern)
        self.assertIn("at /properties/id/pattern: regular expressions are not served", said)
        outside = self.box.write("outside.json", '{"$ref": "http://example.org/schema.json"}')
        self.assertIn("within the schema", self.refused("submit", "--to", "r", "--schema", outside))
        self.assertIn("--expect", self.refused("submit", "--to", "r", "--expect", "patch:huge=1"))
        self.assertIn("--max-result", self.refused("submit", "--to", "r", "--max-result", "many"))
        self.assertIn("format must be markdown",
                      self.refused("submit", "--to", "r", "--format", "json", "--heading", "Risks"))


class Check(ContractCase):
    def test_runs_outside_the_agent_keeps_its_output_and_sends_its_last_lines_to_the_next_attempt(self):
        self.box.coordinator()
        tree = self.box.path("tree")
        os.mkdir(tree)
        self.worker("""
            echo done > "$ZQ_RESULT"
            [ "$ZQ_ATTEMPT" = 1 ] || { grep -q 'no fix in sight' "$ZQ_FEEDBACK_FILE" && touch fixed; }
            """, "--workdir", tree, "--verify", "echo checking in $(pwd); test -e fixed || { echo no fix in sight >&2; exit 3; }")
        task = self.submit()
        self.wait(task)
        first, second = self.attempts(task)
        self.assertEqual((first["outcome"], first["class"]), ("failed", "contract"))
        self.assertIn("the check after the command failed (exit code 3):\n", first["reason"])
        self.assertIn("no fix in sight", first["reason"])
        self.assertEqual(second["outcome"], "completed")
        for number, wanted in ((1, f"checking in {tree}\nno fix in sight"), (2, f"checking in {tree}")):
            self.assertEqual(self.box.zq("artifact", "cat", task, "verify.log", "--attempt", str(number)), wanted)

    def test_is_ended_at_its_time_limit_with_all_that_it_started(self):
        self.box.coordinator()
        marker = self.box.path("pid")
        self.worker("echo done > \"$ZQ_RESULT\"", "--verify", f"sleep 300 & echo $! > {marker}; echo waiting; wait",
                    "--verify-timeout", "1s")
        task = self.submit("--max-attempts", "1")
        self.wait(task, code=10)
        [only] = self.attempts(task)
        self.assertIn("it took longer than its time limit:\nwaiting", only["reason"])
        with open(marker, encoding="ascii") as file:
            self.assertFalse(os.path.exists(f"/proc/{int(file.read())}/fd"), "nothing of the check is left")

    def test_is_not_run_over_what_failed_or_was_skipped(self):
        self.box.coordinator()
        ran = self.box.path("ran")
        self.worker("[ \"$ZQ_TYPE\" = skip ] && echo status=skipped > \"$ZQ_OUTPUT\" || exit 1",
                    "--verify", f"touch {ran}")
        failing, skipping = self.submit("--max-attempts", "1"), self.submit("--type", "skip")
        self.wait(failing, code=10)
        self.wait(skipping)
        self.assertFalse(os.path.exists(ran))


class Payloads(ContractCase):
    def test_are_held_against_the_schema_of_their_role_and_type(self):
        issue = self.box.write("issue.json", json.dumps(
            {"type": "object", "required": ["issue"], "properties": {"issue": {"type": "integer"}}}))
        free = self.box.write("free.json", "true")
        self.box.coordinator("--payload-schema", f"r={issue}", "--payload-schema", f"r/free={free}")
        said = self.refused("submit", "--to", "r", "--payload", '{"issue": "seven"}')
        self.assertIn("task.payload", said)
        self.assertIn("not what r takes: at /issue: ", said)
        self.assertIn("takes a payload", self.refused("submit", "--to", "r"))
        self.box.zq("submit", "--to", "r", "--payload", '{"issue": 7}')
        self.box.zq("submit", "--to", "r", "--type", "free", "--payload", '["anything"]')
        self.box.zq("submit", "--to", "other")

    def test_a_broken_schema_is_found_at_the_start_and_by_check(self):
        broken = self.box.write("broken.json", '{"type": "integr"}')
        argv = ["zq-coordinator", "--data", self.box.data, "--bind", self.box.bind, "--artifacts-bind",
                self.box.artifacts_bind, "--payload-schema", f"r={broken}"]
        for more in ((), ("--check",)):
            done = self.box.run([*argv, *more], ok=None)
            self.assertEqual(done.returncode, 2)
            self.assertIn("payload_schemas: r=", (done.stdout + done.stderr).decode())


class Evidence(ContractCase):
    def test_is_hashed_again_and_content_that_was_changed_does_not_verify(self):
        self.box.coordinator()
        self.worker("head -c 100000 /dev/zero | tr '\\0' x > \"$ZQ_RESULT\"")
        task = self.submit()
        self.wait(task)
        for argv in (("result", task, "--verify"), ("artifact", "verify", task)):
            self.assertIn("ok", self.box.zq(*argv))
        stored = [path for path in glob.glob(os.path.join(self.box.data, "artifacts", "??", "*"))
                  if os.path.getsize(path) == 100_000]
        self.assertEqual(len(stored), 1)
        os.chmod(stored[0], 0o600)
        with open(stored[0], "r+b") as file:
            file.write(b"y")
        for argv in (("result", task, "--verify"), ("artifact", "verify", task)):
            self.assertIn("failed", self.box.zq(*argv, ok=(13,)))


class Reference(ContractCase):
    def setUp(self):
        super().setUp()
        self.box.coordinator()
        self.file = self.box.write("shared/context.md", "what was submitted\n")

    def reference(self) -> str:
        return self.submit("--ref", f"file://{self.file}")

    def test_is_read_where_the_task_runs_and_is_not_sent_along(self):
        task = self.reference()
        self.worker("cat \"$ZQ_TASK_DIR/context/context.md\"; grep -q 'what was submitted' \"$ZQ_PROMPT_FILE\"")
        self.wait(task)
        self.assertEqual(self.box.zq("result", task), "what was submitted")
        self.assertIn("ok", self.box.zq("artifact", "verify", task))
        self.assertIn("is by reference", self.refused("artifact", "cat", task, "context.md", code=3))
        coordinator = self.box.programs[0]
        coordinator.signal(15)
        self.assertEqual(coordinator.wait(), 0)
        self.assertIn("clean", self.box.check().splitlines())

    def test_that_drifted_fails_the_task_and_says_so(self):
        task = self.reference()
        self.box.write("shared/context.md", "what was REPLACED.\n")
        self.assertIn("has drifted", self.box.run(["zq", "artifact", "verify", task], ok=(13,)).stderr.decode())
        self.worker("echo ran > \"$ZQ_RESULT\"")
        self.wait(task, code=10)
        shown = self.box.show(task)
        self.assertEqual(shown["dead_reason"], "permanent")
        [only] = shown["attempts"]
        self.assertIn(f"file://{self.file} has drifted: it is not the content that was recorded", only["reason"])
        self.assertFalse(only.get("artifacts"), "the command did not run")

    def test_that_is_not_there_is_a_failed_attempt_and_another_one_may_find_it(self):
        task = self.reference()
        os.rename(self.file, self.file + ".away")
        self.worker("cat \"$ZQ_TASK_DIR/context/context.md\"")
        await_that(lambda: any(outcome == "failed" for _, outcome in self.box.attempts_of(task)), "a failed attempt")
        # Its attempts go fast: what counts is that each of them says what it missed.
        self.assertIn("No such file", self.attempts(task)[0]["reason"])


if __name__ == "__main__":
    main()
