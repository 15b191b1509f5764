#!/usr/bin/python3
"""An implementation worker: applies the edits that the task's context file describes to a copy of a
project, runs the project's tests, and hands back a patch and the test's output.

    zq-worker --role implementation-worker -- /path/to/implement.py

The project comes with the task as an artifact `project.tar` (or .tar.gz). It has an executable
`run-tests.sh`. The context file is Markdown; each edit in it is a fenced block of this form, and the
`find` text must stand exactly once in the file:

    ```edit slug.py
    <<<<<<< find
    the old lines
    =======
    the new lines
    >>>>>>> replace
    ```

Exit codes (the worker contract): 0 done; 1 the tests still fail, another attempt may do better;
65 the task cannot be done as it is written, so it goes to the dead-letter queue at once.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

EDIT = re.compile(
    r"^```edit (?P<file>\S+)\n<<<<<<< find\n(?P<find>.*?)^=======\n(?P<replace>.*?)^>>>>>>> replace\n```$",
    re.MULTILINE | re.DOTALL,
)
TEST_LIMIT_S = 300


class BadTask(Exception):
    """The task cannot be done as it is written."""


def only_file(folder: pathlib.Path, pattern: str, what: str) -> pathlib.Path:
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    if len(found) != 1:
        raise BadTask(f"expected one {what} ({pattern}) among the inputs, found {len(found)}")
    return found[0]


def unpack(archive: pathlib.Path, into: pathlib.Path) -> pathlib.Path:
    """Unpacks the project and gives its folder: the archive's single top folder, or the archive."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            inside = (into / member.name).resolve().is_relative_to(into.resolve())
            if not inside or not (member.isfile() or member.isdir()):
                raise BadTask(f"the archive holds something other than files and folders: {member.name}")
        tar.extractall(into)
    entries = list(into.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else into


def apply_edits(instructions: str, project: pathlib.Path) -> list[str]:
    """Makes every edit of the context file; gives the names of the files that changed."""
    changed = []
    for edit in EDIT.finditer(instructions):
        name = edit["file"]
        path = (project / name).resolve()
        if not path.is_relative_to(project.resolve()) or not path.is_file():
            raise BadTask(f"no such file in the project: {name}")
        text = path.read_text()
        times = text.count(edit["find"])
        if times != 1:
            raise BadTask(f"the text to replace stands {times} times in {name}, not once")
        path.write_text(text.replace(edit["find"], edit["replace"]))
        changed.append(name)
    if not changed:
        raise BadTask("the context file describes no edit")
    return changed


def run_tests(project: pathlib.Path) -> tuple[int, str]:
    done = subprocess.run(
        ["./run-tests.sh"], cwd=project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=TEST_LIMIT_S, text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stdout


def write_patch(before: pathlib.Path, after: pathlib.Path, patch: pathlib.Path) -> None:
    """A patch for `patch -p1` or `git apply`; `before` and `after` are siblings named a and b."""
    done = subprocess.run(
        ["diff", "-ruN", before.name, after.name], cwd=before.parent, stdout=subprocess.PIPE, check=False
    )
    if done.returncode > 1:
        raise RuntimeError("diff failed")
    patch.write_bytes(done.stdout)


def implement(task: pathlib.Path, out: pathlib.Path, scratch: pathlib.Path) -> int:
    inputs = task / "context"
    instructions = only_file(inputs, "context*", "context file").read_text()
    project = unpack(only_file(inputs, "project.tar*", "project archive"), scratch / "unpacked")
    before = pathlib.Path(shutil.copytree(project, scratch / "a"))
    after = pathlib.Path(shutil.copytree(project, scratch / "b"))

    code_before, _ = run_tests(before)
    changed = apply_edits(instructions, after)
    code, output = run_tests(after)
    write_patch(before, after, out / "patch.diff")
    (out / "test-output.txt").write_text(output)

    verdict = "pass" if code == 0 else "fail"
    was = "passed" if code_before == 0 else "failed"
    summary = f"{len(changed)} edits in {', '.join(sorted(set(changed)))}; the tests {verdict} (before: {was})"
    pathlib.Path(os.environ["ZQ_RESULT"]).write_text(
        f"# Implementation\n\n{summary}.\n\n- `patch.diff`: the change\n- `test-output.txt`: the test run\n"
    )
    with open(os.environ["ZQ_OUTPUT"], "a", encoding="utf-8") as keys:
        keys.write(f"summary={summary}\n")
    return 0 if code == 0 else 1


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return implement(
                pathlib.Path(os.environ["ZQ_TASK_DIR"]), pathlib.Path(os.environ["ZQ_OUT"]), pathlib.Path(scratch)
            )
        except BadTask as bad:
            print(f"implement: {bad}", file=sys.stderr)
            return 65


if __name__ == "__main__":
    sys.exit(main())
