#!/usr/bin/python3
"""`zq bench`: each measurement runs to its end, small, and tells figures; nothing of it stays behind. How fast
anything is, no test says."""

import json
import os
import signal
import subprocess
import unittest

from zq_e2e import BIN, PATIENCE, Case, await_that, main


class Bench(Case):
    def bench(self, *argv):
        """{figure: value}, of one repetition."""
        folder = self.box.path("bench")
        os.makedirs(folder, exist_ok=True)
        lines = self.box.zq("bench", *argv, "--data", folder, "--repetitions", "1", "-o", "jsonl").splitlines()
        self.assertEqual(os.listdir(folder), [], "its coordinator's folder is gone")
        rows = [json.loads(line) for line in lines]
        for row in rows:
            self.assertEqual((row["schema"], row["workload"], row["repetitions"]), ("zq/bench/v1", argv[0], 1))
        return {row["figure"]: float(row["value"]) for row in rows}

    def test_submits(self):
        for flags in ((), ("--in-flight", "16"), ("--connections", "4"), ("--curve",)):
            figures = self.bench("submit", "--time", "200ms", *flags)
            self.assertGreater(figures["rate"], 0, flags)
            self.assertLessEqual(figures["p50"], figures["p99"], flags)
            self.assertLessEqual(figures["p99"], figures["p99.9"], flags)

    def test_whole_lives(self):
        figures = self.bench("end-to-end", "--time", "200ms", "--workers", "2", "--slots", "4")
        self.assertGreater(figures["rate"], 0)

    def test_dispatch(self):
        figures = self.bench("dispatch", "--tasks", "30")
        self.assertLessEqual(figures["dispatched_p50"], figures["answered_p50"])

    def test_a_backlog_is_filled_killed_found_again_and_drained(self):
        figures = self.bench("backlog", "--tasks", "300")
        for figure in ("fill_rate", "rss", "disk", "restart", "rss_after_restart", "drain_rate"):
            self.assertGreater(figures[figure], 0, figure)

    def test_fleets(self):
        for flags in (("--workers", "5"), ("--workers", "5", "--busy", "--polls", "5")):
            figures = self.bench("fleet", "--time", "100ms", *flags)
            self.assertGreater(figures["rss"], 0)

    def test_questions(self):
        figures = self.bench("query", "--tasks", "50", "--finished", "50")
        for figure in ("ls", "dlq_ls", "status", "stats", "show_and_why"):
            self.assertGreater(figures[f"{figure}_p50"], 0, figure)

    def test_artifacts(self):
        figures = self.bench("artifact", "--mib", "2", "--files", "8", "--clients", "2")
        self.assertGreater(figures["rate"], 0)
        self.assertGreater(figures["of_sha256sum_and_cp"], 0)

    def test_a_coordinator_that_runs_is_measured_from_outside(self):
        self.box.coordinator()
        lines = self.box.zq("bench", "end-to-end", "--time", "200ms", "--repetitions", "1", "--connect", self.box.bind,
                            "-o", "jsonl")
        figures = {json.loads(line)["figure"] for line in lines.splitlines()}
        self.assertIn("rate", figures)
        self.assertNotIn("server_cpu", figures, "it is not ours to look at")

    def test_an_interrupt_ends_it_and_what_it_started(self):
        folder = self.box.path("bench")
        os.makedirs(folder)
        program = subprocess.Popen(
            [os.path.join(BIN, "zq"), "bench", "submit", "--time", "1h", "--data", folder],
            env=self.box.env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(program.kill)
        await_that(lambda: any(name.endswith("journal.db") for _, _, names in os.walk(folder) for name in names),
                   "its coordinator runs")
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=30 * PATIENCE)
        self.assertEqual(program.returncode, 130, said)
        self.assertEqual(os.listdir(folder), [])

    def test_what_cannot_be_measured_is_refused(self):
        for argv, code in ((("submit", "--data", "/nonexistent"), 1), (("submit", "--in-flight", "0"), 2),
                           (("submit", "--connect", "tcp://127.0.0.1:9", "--curve"), 2),
                           (("submit", "--connect", "tcp://127.0.0.1:9"), 6),
                           (("backlog", "--tasks", "many"), 2), (("speed",), 2)):
            self.assertEqual(self.box.run(["zq", "bench", *argv], ok=None).returncode, code, argv)


if __name__ == "__main__":
    main()
