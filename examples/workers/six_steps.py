#!/usr/bin/python3
"""A six-step agent that goes on where it was stopped: think, search, analyse, act, reflect, continue. After
each step it saves what it knows as a checkpoint; the next attempt begins with the step after the last saved one.

    zq-worker --role research -- /path/to/six_steps.py
    zq submit --to research --instructions "Which planets have rings?" --file planets.txt

It answers a question from the text that came with the task, by plain word search: put a model into the steps
that shall be clever. `--pace S` makes each step take that long. It needs `zq` on its PATH, and no id, key or
address: inside a task, `zq progress`, `zq checkpoint` and `zq complete` speak to the worker around it.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

STEPS = ("think", "search", "analyse", "act", "reflect", "continue")
COMMON = {"a", "an", "and", "are", "did", "do", "does", "has", "have", "how", "in", "is", "of", "or", "the", "to",
          "was", "were", "what", "which", "who"}
NONE_SAVED = 3  # exit code of `zq checkpoint get`


def zq(*words: str) -> None:
    subprocess.run(["zq", *words], check=True, stdout=subprocess.DEVNULL)


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def load() -> dict:
    """What the attempts before this one knew."""
    saved = subprocess.run(["zq", "checkpoint", "get", "--name", "state.json"], stdout=subprocess.PIPE, check=False)
    if saved.returncode == NONE_SAVED:
        return {"done": []}
    saved.check_returncode()
    return json.loads(saved.stdout)


def save(state: dict) -> None:
    """Durable when it returns; through an outage of the coordinator the worker keeps it."""
    path = pathlib.Path(os.environ["ZQ_TASK_DIR"]) / "state.json"
    path.write_text(json.dumps(state))
    zq("checkpoint", "put", str(path))


def think(state: dict, task: dict) -> str:
    state["terms"] = sorted(set(words_of(task.get("instructions", ""))) - COMMON)
    return f"{len(state['terms'])} words to look for"


def search(state: dict, _task: dict) -> str:
    folder = pathlib.Path(os.environ["ZQ_TASK_DIR"]) / "context"
    lines = [line.strip() for path in sorted(folder.rglob("*")) if path.is_file()
             for line in path.read_text(errors="replace").splitlines()]
    state["found"] = [line for line in lines if set(words_of(line)) & set(state["terms"])]
    return f"{len(state['found'])} of {len(lines)} lines"


def analyse(state: dict, _task: dict) -> str:
    def weight(line: str) -> int:
        return len(set(words_of(line)) & set(state["terms"]))
    state["ranked"] = sorted(state["found"], key=weight, reverse=True)[:5]
    return f"the best {len(state['ranked'])}"


def act(state: dict, task: dict) -> str:
    lines = "".join(f"- {line}\n" for line in state["ranked"]) or "Nothing was found.\n"
    state["report"] = f"# {task.get('instructions', '').strip()}\n\n{lines}"
    return "the report is written"


def reflect(state: dict, _task: dict) -> str:
    state["missing"] = [term for term in state["terms"] if term not in words_of(state["report"])]
    return f"{len(state['missing'])} words have no answer"


def go_on(state: dict, _task: dict) -> str:
    state["verdict"] = "answered" if state["ranked"] else "no answer in the material"
    return state["verdict"]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0, help="seconds that each step takes")
    pace = parser.parse_args().pace
    task = json.loads((pathlib.Path(os.environ["ZQ_TASK_DIR"]) / "task.json").read_text())
    state = load()
    for number, (name, step) in enumerate(zip(STEPS, (think, search, analyse, act, reflect, go_on)), start=1):
        if number <= len(state["done"]):
            continue
        zq("progress", str(100 * (number - 1) // len(STEPS)), "--step", f"{number}/{len(STEPS)}", "--message", name)
        time.sleep(pace)
        said = step(state, task)
        state["done"].append({"step": name, "attempt": task["attempt"], "pid": os.getpid(), "said": said})
        save(state)
    result = pathlib.Path(os.environ["ZQ_RESULT"])
    ran = "".join(f"{each['step']}: attempt {each['attempt']}, {each['said']}\n" for each in state["done"])
    result.write_text(state["report"] + "\n" + ran)
    zq("complete", "--summary", state["verdict"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
