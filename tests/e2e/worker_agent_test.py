#!/usr/bin/python3
"""Agents behind zq-worker: the example workers with a stand-in for the tool (it prints what the tool's
documentation shows), a working tree per attempt, and the check-list of `zq-worker --test`."""

import os
import subprocess

from zq_e2e import SOURCE, Case, await_that, main

EXAMPLES = os.path.join(SOURCE, "examples/workers")

# The first run fails half-way, the second is asked to go on in the first one's session.
CLAUDE = r"""#!/bin/bash
echo "$*" >> "$HOME/claude.calls"
cat > "$HOME/claude.prompt"
echo '{"type":"system","subtype":"init","session_id":"5b9c2f1e-4a07","model":"claude-sonnet-4-5"}'
case "$*" in
*"--resume 5b9c2f1e-4a07"*)
    echo '{"type":"result","subtype":"success","is_error":false,"num_turns":2,"result":"# Reviewed\n\n3 risks.",'\
'"session_id":"5b9c2f1e-4a07","total_cost_usd":0.0921875,"usage":{"input_tokens":18,"output_tokens":2210}}' ;;
*)
    echo '{"type":"result","subtype":"error_during_execution","is_error":true,"session_id":"5b9c2f1e-4a07",'\
'"total_cost_usd":0.01,"usage":{"input_tokens":3,"output_tokens":5}}' ;;
esac
"""

CODEX = r"""#!/bin/bash
echo "$*" >> "$HOME/codex.calls"
cat > "$HOME/codex.prompt"
echo 'def slug(text): return text.lower()' > slug.py
echo '{"type":"thread.started","thread_id":"0199a213-81c0"}'
echo '{"type":"turn.started"}'
echo '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"Fixed."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}}'
"""


class Agents(Case):
    def stand_in(self, name: str, text: str) -> str:
        """A PATH whose `name` is the given script."""
        path = self.box.write(f"tools/{name}", text)
        os.chmod(path, 0o755)
        return f"{self.box.path('tools')}:/usr/bin:/bin"

    def test_claude_fails_with_its_reason_and_goes_on_in_its_session(self):
        box = self.box
        box.coordinator()
        env = box.env(PATH=self.stand_in("claude", CLAUDE))
        box.worker("w1", "review", [f"{EXAMPLES}/claude.sh", "{resume_id}"], flags=("--agent", "claude"), env=env)
        task = box.submit("review", "--backoff", "none", "--instructions", "Review this.")
        box.zq("wait", task, "--timeout", "60s")
        first, second = box.show(task)["attempts"]
        self.assertEqual(first["outcome"], "failed")
        self.assertIn("error_during_execution", first["reason"])
        self.assertEqual(first["output"]["cost_usd_micros"], "10000")
        self.assertEqual(second["output"]["cost_usd_micros"], "92188")
        self.assertEqual(second["output"]["session_id"], "5b9c2f1e-4a07")
        self.assertEqual(second["output"]["output_tokens"], "2210")
        self.assertEqual(second["output"]["model"], "claude-sonnet-4-5")
        self.assertEqual(second["summary"], "Reviewed")
        self.assertEqual(box.zq("result", task), "# Reviewed\n\n3 risks.")
        with open(box.path("claude.calls"), encoding="utf-8") as calls:
            self.assertEqual(["--resume" in call for call in calls], [False, True])
        with open(box.path("claude.prompt"), encoding="utf-8") as prompt:
            self.assertIn("Review this.", prompt.read())

    def test_codex_works_in_a_tree_of_its_own_and_hands_back_the_patch(self):
        box = self.box
        box.coordinator()
        project = box.path("project")
        os.mkdir(project)
        box.write("project/slug.py", "def slug(text): return text\n")
        for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
            subprocess.run(["git", *words], cwd=project, check=True, env=box.env())
        env = box.env(PATH=self.stand_in("codex", CODEX))
        box.worker("w1", "fix", [f"{EXAMPLES}/codex.sh", "{resume_id}"],
                   flags=("--agent", "codex", "--git-worktree", project), env=env)
        task = box.submit("fix", "--expect", "patch")
        box.zq("wait", task, "--timeout", "60s")
        patch = box.zq("artifact", "cat", task, "patch.diff")
        self.assertIn("+def slug(text): return text.lower()", patch)
        self.assertEqual(box.zq("result", task), "Fixed.")
        self.assertEqual(box.show(task)["attempts"][0]["output"]["input_tokens"], "24763")

        def trees():
            return subprocess.run(["git", "worktree", "list"], cwd=project, check=True, capture_output=True,
                                  env=box.env()).stdout.decode().splitlines()
        await_that(lambda: len(trees()) == 1, "the working tree is removed")
        with open(os.path.join(project, "slug.py"), encoding="utf-8") as untouched:
            self.assertIn("return text\n", untouched.read())

    def test_a_tool_that_is_not_installed_is_the_workers_fault_and_pauses_it_after_three(self):
        box = self.box
        box.coordinator()
        for name in ("claude", "codex"):
            worker = box.worker(name, name, [f"{EXAMPLES}/{name}.sh"], env=box.env(PATH="/usr/bin:/bin"))
            tasks = [box.submit(name) for _ in range(3)]
            await_that(lambda w=worker: "paused" in w.output(), f"the {name} worker pauses itself", seconds=60)
            attempts = [each for task in tasks for each in box.show(task).get("attempts", [])]
            self.assertTrue(all(each["outcome"] == "released" for each in attempts if each["outcome"] != "running"))
            self.assertTrue(any(f"'{name}' is not installed" in each.get("reason", "") for each in attempts))

    def test_the_python_example_keeps_the_contract_and_a_bad_command_does_not(self):
        done = self.box.run(["zq-worker", "--test", "--", f"{EXAMPLES}/digest.py"])
        self.assertIn(b"ok         success", done.stdout)
        self.assertIn(b"0 broken", done.stdout)
        bad = self.box.run(["zq-worker", "--test", "--", "/bin/false"], ok=(20,))
        self.assertIn(b"BROKEN     success", bad.stdout)


if __name__ == "__main__":
    main()
