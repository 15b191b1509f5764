#!/usr/bin/python3
"""The ledger: how much trouble zq has been put through, and what came of it. The page is LEDGER.md.

    tests/ledger.py run sim --seeds 1000         runs it and appends a row (words after it are its own)
    tests/ledger.py run fuzz-control --minutes 10
    tests/ledger.py show                         the totals, by format version
    tests/ledger.py add --command '…' [--commit C] < log     appends what a run elsewhere printed

The machinery prints `ledger: machinery=NAME key=number …` as its last word, whether it found something
or not; `violations` must be among the keys. A row is a line of ledger.tsv: rows are added, never
changed. A run that prints no such line is no row, and an error.
"""
import argparse
import datetime
import pathlib
import random
import re
import shlex
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = HERE / "ledger.tsv"
PAGE = HERE / "LEDGER.md"
COLUMNS = ("date", "commit", "format", "wire", "machinery", "command", "counts")
BEGIN, END = "<!-- totals: written by tests/ledger.py -->", "<!-- end of the totals -->"

BIN = "build/release/bin/"
FUZZ = ["tests/fuzz/run.py", "--target"]
# What runs each machinery, from the root; `fuzz-TARGET` has a rule of its own.
COMMANDS = {
    "sim": [BIN + "zq-sim"],
    "power": [BIN + "zq-power", "--workload", "journal"],
    "artifact-power": [BIN + "zq-power", "--workload", "artifacts"],
    "disk-faults": ["/usr/bin/python3", "tests/e2e/disk_faults.py"],
    "full-disk": ["/usr/bin/python3", "tests/e2e/disk_full_test.py"],
    "chaos": ["/usr/bin/python3", "tests/e2e/chaos.py"],
}
# These draw their faults from a seed. A seed that is run again is no new evidence, so each run gets its own.
SEEDED = {"sim", "power", "artifact-power", "chaos"}
# What counts as one independent run of these, for a bound on what was never seen.
INDEPENDENT = {"sim": "seeds", "power": "seeds", "artifact-power": "seeds", "chaos": "runs"}


def command_of(machinery, extra):
    if machinery.startswith("fuzz-"):
        command = FUZZ + [machinery[len("fuzz-"):]]
    elif machinery in COMMANDS:
        command = list(COMMANDS[machinery])
    else:
        sys.exit(f"no machinery {machinery}: {', '.join(COMMANDS)} or fuzz-TARGET")
    if machinery in SEEDED and "--seed" not in extra:
        command += ["--seed", str(random.SystemRandom().randrange(1 << 32))]
    return command + extra


def read_line(text):
    """(machinery, counts) of the last `ledger:` line; None if there is none."""
    lines = [line for line in text.splitlines() if line.startswith("ledger: ")]
    if not lines:
        return None
    pairs = dict(word.split("=", 1) for word in lines[-1].split()[1:] if "=" in word)
    machinery = pairs.pop("machinery", "")
    counts = {key: int(value) for key, value in pairs.items()}
    problem = problem_of(machinery, counts)
    if problem:
        raise ValueError(f"{lines[-1]}: {problem}")
    return machinery, counts


def problem_of(machinery, counts):
    if machinery not in COMMANDS and not machinery.startswith("fuzz-"):
        return f"no machinery '{machinery}'"
    if "violations" not in counts:
        return "says nothing of violations"
    if any(value < 0 for value in counts.values()):
        return "a count below zero"
    return ""


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout.strip()


def number_in(commit, path, pattern):
    text = git("show", f"{commit}:{path}") if commit else (ROOT / path).read_text(encoding="utf-8")
    return re.search(pattern, text).group(1)


def versions(commit=None):
    """Journal format and wire version, of a commit or of the tree."""
    return (number_in(commit, "coordinator/store/schema.h", r"kFormatVersion = (\d+)"),
            number_in(commit, "common/wire/codec.h", r'kProtocol = "zq/(\d+)"'))


def current_commit():
    """HEAD, with a `+` where the tree differs from it."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!tests/ledger.tsv", ":!tests/LEDGER.md")
    return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def append(machinery, counts, command, commit=None):
    """`commit`: what was run, where it is not the tree as it stands; with a `+` where it was changed."""
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
    base = commit.rstrip("+") if commit else None
    name = git("rev-parse", "--short=10", base) + commit[len(base):] if commit else current_commit()
    cells = (date, name, *versions(base), machinery, " ".join(command.split()),
             " ".join(f"{key}={value}" for key, value in counts.items()))
    with DATA.open("a", encoding="utf-8") as file:
        file.write("\t".join(cells) + "\n")
    write_page()


def rows(text=None):
    """Every row as a dict, `counts` as a dict of numbers. Raises ValueError where one is malformed."""
    found = []
    lines = (DATA.read_text(encoding="utf-8") if text is None else text).splitlines()
    if not lines or lines[0] != "\t".join(COLUMNS):
        raise ValueError("the first line names the columns")
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(COLUMNS) or not all(cells):
            raise ValueError(f"line {number}: {len(COLUMNS)} cells, none of them empty")
        row = dict(zip(COLUMNS, cells))
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", row["date"]):
            raise ValueError(f"line {number}: no date")
        if not re.fullmatch(r"[0-9a-f]{7,40}\+?", row["commit"]):
            raise ValueError(f"line {number}: no commit")
        if not (row["format"].isdigit() and row["wire"].isdigit()):
            raise ValueError(f"line {number}: versions are numbers")
        try:
            row["counts"] = {key: int(value) for key, value in
                             (pair.split("=") for pair in row["counts"].split(" "))}
        except ValueError:
            raise ValueError(f"line {number}: counts are key=number") from None
        problem = problem_of(row["machinery"], row["counts"])
        if problem:
            raise ValueError(f"line {number}: {problem}")
        found.append(row)
    return found


def totals(all_rows):
    """{(format, wire): {machinery: (rows, counts, clean)}}; `clean`: counts since the last violation."""
    sums = {}
    for row in all_rows:
        by_machinery = sums.setdefault((row["format"], row["wire"]), {})
        number, counts, clean = by_machinery.get(row["machinery"], (0, {}, {}))
        if row["counts"]["violations"] > 0:
            clean = {}
        for key, value in row["counts"].items():
            counts[key] = counts.get(key, 0) + value
            if row["counts"]["violations"] == 0:
                clean[key] = clean.get(key, 0) + value
        by_machinery[row["machinery"]] = (number + 1, counts, clean)
    return sums


def bound_of(machinery, clean):
    """95 % upper bound on the chance of a violation in one run, where runs are independent."""
    unit = INDEPENDENT.get(machinery)
    number = clean.get(unit, 0) if unit else 0
    return f"{3 / number:.1e} a {unit.rstrip('s')}" if number > 3 else "–"


def order_of(machinery):
    return (list(COMMANDS).index(machinery) if machinery in COMMANDS else len(COMMANDS), machinery)


def render(all_rows):
    if not all_rows:
        return "Nothing was run yet.\n"
    text = ""
    for (journal, wire), by_machinery in sorted(totals(all_rows).items()):
        text += f"Journal format {journal}, wire zq/{wire}:\n\n"
        text += "| machinery | runs of it | counted in all | violations | clean since the last: at most |\n"
        text += "| --- | ---: | --- | ---: | --- |\n"
        for machinery in sorted(by_machinery, key=order_of):
            number, counts, clean = by_machinery[machinery]
            told = ", ".join(f"{value:,} {key.replace('_', ' ')}" for key, value in counts.items()
                             if key not in ("violations", "seconds"))
            hours = f"; {counts['seconds'] / 3600:.1f} h" if "seconds" in counts else ""
            text += (f"| {machinery} | {number} | {told}{hours} | {counts['violations']} |"
                     f" {bound_of(machinery, clean)} |\n")
        text += "\n"
    return text


def page_with(totals_text, page):
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{totals_text.rstrip()}\n\n{END}{after}"


def write_page():
    PAGE.write_text(page_with(render(rows()), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def run(machinery, extra):
    command = command_of(machinery, extra)
    said = shlex.join(command)
    print(said, flush=True)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, errors="replace")
    output = []
    for line in process.stdout:
        print(line, end="", flush=True)
        output.append(line)
    status = process.wait()
    result = read_line("".join(output))
    if result is None or result[0] != machinery:
        sys.exit(f"exit code {status}, and no `ledger: machinery={machinery}` line: not counted")
    result[1].setdefault("seconds", round(time.monotonic() - started))
    append(*result, said)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    running = verbs.add_parser("run", help="run a machinery and append what it says")
    running.add_argument("machinery")
    running.add_argument("words", nargs=argparse.REMAINDER, help="the machinery's own")
    verbs.add_parser("show", help="the totals")
    adding = verbs.add_parser("add", help="append the last `ledger:` line of stdin, or of --line")
    adding.add_argument("--command", required=True, help="what was run")
    adding.add_argument("--line")
    adding.add_argument("--commit", help="of which commit it was (else of the tree as it stands)")
    verbs.add_parser("page", help="write the page's totals anew")
    arguments = parser.parse_args()
    if arguments.verb == "run":
        return run(arguments.machinery, arguments.words)
    if arguments.verb == "add":
        result = read_line(sys.stdin.read() if arguments.line is None else arguments.line)
        if result is None:
            sys.exit("no `ledger:` line")
        append(*result, arguments.command, arguments.commit)
    elif arguments.verb == "page":
        write_page()
    else:
        print(render(rows()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
