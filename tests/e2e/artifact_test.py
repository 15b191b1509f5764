#!/usr/bin/python3
"""Artifacts of 0 bytes, 1 byte and 256 MiB there and back, with equal digests and flat memory."""

import hashlib
import os
import subprocess

from zq_e2e import PATIENCE, Case, await_that, high_water_kib, main

MIB = 1024 * 1024
SIZES = {"empty.bin": 0, "one.bin": 1, "big.bin": 256 * MIB}
FLAT_KIB = 100 * 1024
# Sends each input back as an artifact, by a link: no copy is made.
COMMAND = ["/bin/sh", "-c", 'for file in "$ZQ_TASK_DIR"/context/*.bin; do cp "$file" "$ZQ_OUT/"; done; echo sent > "$ZQ_RESULT"']


def make_file(path: str, size: int) -> str:
    """Random content of that size; gives its digest."""
    digest = hashlib.sha256()
    with open(path, "wb") as file:
        for start in range(0, size, MIB):
            block = os.urandom(min(MIB, size - start))
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Artifacts(Case):
    def zq_measured(self, *argv: str) -> int:
        """Runs `zq` to its end; gives the most memory it had, in KiB."""
        measured = ["/usr/bin/python3", "-c", MEASURE]
        done = self.box.run(["zq", *argv], prefix=tuple(measured), seconds=240)
        return int(done.stderr.decode().rsplit("maxrss=", 1)[1])

    def test_contents_of_all_sizes_come_back_with_equal_digests_and_memory_stays_flat(self):
        box = self.box
        coordinator = box.coordinator()
        worker = box.worker("w1", "copy", COMMAND)
        os.mkdir(box.path("in"))
        digests = {name: make_file(box.path(f"in/{name}"), size) for name, size in SIZES.items()}
        inputs = [flag for name in SIZES for flag in ("--artifact", box.path(f"in/{name}"))]

        submit_kib = self.zq_measured("submit", "--to", "copy", "--id", "copies", *inputs)
        box.zq("wait", "copies", "--timeout", "3m", seconds=200)
        fetch_kib = self.zq_measured("result", "copies", "--verify", "--out", box.path("back"))

        back = {name: digest_of(box.path(f"back/{name}")) for name in SIZES}
        self.assertEqual(back, digests)
        memory = {
            "coordinator": high_water_kib(coordinator.pid), "worker": high_water_kib(worker.pid),
            "zq submit": submit_kib, "zq result": fetch_kib,
        }
        print("most memory, KiB:", memory)
        if PATIENCE == 1:
            for name, kib in memory.items():
                self.assertLess(kib, FLAT_KIB, f"memory of {name} grew with the content")

    def test_the_same_digest_is_refused_where_a_file_was_changed_on_disk(self):
        box = self.box
        box.coordinator()
        box.worker("w1", "copy", COMMAND)
        os.mkdir(box.path("in"))
        make_file(box.path("in/some.bin"), MIB)
        box.zq("submit", "--to", "copy", "--id", "copies", "--artifact", box.path("in/some.bin"))
        box.zq("wait", "copies", "--timeout", "60s")
        stored = await_that(
            lambda: [p for p in subprocess.check_output(
                ["find", box.data, "-type", "f", "-size", f"{MIB}c"], text=True).split()],
            "the content lies in the store",
        )
        for path in stored:
            os.chmod(path, 0o600)
            with open(path, "r+b") as file:
                file.write(b"changed")
        done = box.run(["zq", "result", "copies", "--verify", "--out", box.path("back")], ok=None, seconds=120)
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(os.path.exists(box.path("back/some.bin")), "a wrong file is not left behind")


MEASURE = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
sys.stderr.write(f"maxrss={resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(code)
"""

if __name__ == "__main__":
    main()
