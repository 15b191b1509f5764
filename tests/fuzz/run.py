#!/usr/bin/python3
"""Runs libFuzzer targets for a time, keeps what they find, and says how much was run.

    tests/fuzz/run.py --list
    tests/fuzz/run.py --target messages --minutes 10
    tests/fuzz/run.py --target all --minutes 1
    tests/fuzz/run.py --target messages --keep       # minimizes what was found into corpus/messages.txt

Needs the preset: cmake --preset fuzz && cmake --build build/fuzz --target zq_fuzz_all. A run goes on where the last one
ended: its inputs lie in build/fuzz/corpus/TARGET (together with the seeds and corpus/TARGET.txt).
The last line for each target is for the ledger (tests/LEDGER.md); the exit code is 1 where an input
broke something, and that input is then printed as a line to add to corpus/TARGET.txt with its fix.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# What one input may take; more than any of ours by far, so that a hang is found.
SECONDS_AN_INPUT = 20
MEGABYTES = 2048
LARGEST_INPUT = 4096
# A minimized corpus is for every build and every clone: small.
KEPT_BYTES = 32 * 1024
KEPT_INPUT = 1024


def targets():
    return sorted(path.name[: -len("_fuzz.cc")] for path in HERE.glob("*_fuzz.cc"))


class Target:
    def __init__(self, name, build):
        self.name = name
        self.fuzzer = build / "bin" / f"zq_fuzz_{name}"
        self.replay = build / "bin" / f"zq_replay_{name}"
        self.folder = build / "corpus" / name
        self.findings = build / "findings" / name
        self.lines = HERE / "corpus" / f"{name}.txt"

    def seed(self):
        """The committed inputs and the seeds of the code, beside what earlier runs found."""
        seeds = self.folder.with_name(self.name + ".seeds")
        shutil.rmtree(seeds, ignore_errors=True)
        subprocess.run([self.replay, "--unpack", seeds], check=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.findings.mkdir(parents=True, exist_ok=True)
        return seeds

    def run(self, minutes):
        """Fuzzes; gives (executions, seconds, violations)."""
        seeds = self.seed()
        before = set(self.findings.iterdir())
        started = time.monotonic()
        command = [self.fuzzer, f"-max_total_time={int(minutes * 60)}", f"-max_len={LARGEST_INPUT}",
                   f"-timeout={SECONDS_AN_INPUT}", f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1",
                   "-close_fd_mask=1", f"-artifact_prefix={self.findings}/", self.folder, seeds]
        # A limit of its own, in case the target does not come back at all.
        output = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                timeout=minutes * 60 + 300, env=environment()).stderr
        seconds = round(time.monotonic() - started)
        executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", output)
        found = sorted(set(self.findings.iterdir()) - before)
        progress = [line for line in output.splitlines() if re.match(r"#\d+\s", line)]
        print(progress[-1] if progress and not found else output[-6000:], flush=True)
        for path in found:
            self.show(path)
        # Without its last line libFuzzer did not end by itself: something is wrong, whatever was found.
        return int(executions[1]) if executions else 0, seconds, max(len(found), 0 if executions else 1)

    def show(self, path):
        said = subprocess.run([self.replay, "--input", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors="replace", env=environment()).stderr
        print(f"{self.name}: broken by {path}\n{said[-3000:]}", flush=True)

    def keep(self):
        """Replaces the generated part of corpus/TARGET.txt by the inputs that reach most, smallest first."""
        seeds = self.seed()
        merged = self.folder.with_name(self.name + ".merged")
        shutil.rmtree(merged, ignore_errors=True)
        merged.mkdir()
        subprocess.run([self.fuzzer, "-merge=1", f"-max_len={KEPT_INPUT}", "-close_fd_mask=1", merged, seeds,
                        self.folder], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        known = set(subprocess.run([self.replay, "--pack", seeds], check=True, capture_output=True,
                                   text=True).stdout.splitlines())
        # What the code makes by itself need not be kept; what a person wrote down stays on top.
        by_hand, generated = split_by_hand(self.lines)
        known -= set(generated)
        lines = subprocess.run([self.replay, "--pack", merged], check=True, capture_output=True,
                               text=True).stdout.splitlines()
        kept, size = [], 0
        for line in sorted(set(lines) - known - set(by_hand), key=lambda line: (len(line), line)):
            size += len(line) + 1
            if size > KEPT_BYTES:
                break
            kept.append(line)
        self.lines.write_text("\n".join([*by_hand, GENERATED, *kept]) + "\n", encoding="ascii")
        print(f"{self.name}: {len(kept)} of {len(lines)} inputs kept, {self.lines.stat().st_size} bytes")


GENERATED = "# Found by fuzzing (run.py --keep writes what follows):"


def split_by_hand(path):
    """A corpus file's lines before and after the mark."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    mark = lines.index(GENERATED) if GENERATED in lines else len(lines)
    return lines[:mark], lines[mark + 1:]


def environment():
    return dict(os.environ, ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=0",
                UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="all", choices=["all", *targets()])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(targets()))
        return 0
    bad = 0
    for name in targets() if arguments.target == "all" else [arguments.target]:
        target = Target(name, arguments.build)
        if arguments.keep:
            target.keep()
            continue
        executions, seconds, violations = target.run(arguments.minutes)
        print(f"ledger: machinery=fuzz-{name} executions={executions} seconds={seconds} violations={violations}",
              flush=True)
        bad += violations
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
