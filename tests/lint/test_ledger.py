#!/usr/bin/python3
"""The ledger's rows are well formed, and its page says what they add up to."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import ledger  # noqa: E402

HEAD = "\t".join(ledger.COLUMNS) + "\n"


def row(machinery="sim", counts="seeds=100 violations=0", date="2026-11-21T12:00Z", commit="0123abcdef"):
    return "\t".join((date, commit, "1", "1", machinery, "zq-sim", counts)) + "\n"


class Ledger(unittest.TestCase):
    def test_has_well_formed_rows_that_add_up_to_its_page(self):
        page = ledger.PAGE.read_text(encoding="utf-8")
        self.assertEqual(page, ledger.page_with(ledger.render(ledger.rows()), page), "run: tests/ledger.py page")

    def test_names_every_machinery_that_its_rows_have_and_the_command_that_adds_to_it(self):
        page = ledger.PAGE.read_text(encoding="utf-8")
        for machinery in ledger.COMMANDS:
            self.assertIn(f"tests/ledger.py run {machinery}", page)

    def test_refuses_a_malformed_row(self):
        for bad in (row(counts="seeds=many violations=0"), row(counts="seeds=1"), row(machinery="luck"),
                    row(date="today"), row(commit="main"), row().replace("\t1\t", "\t\t", 1),
                    row(counts="seeds=-1 violations=0"), "\n"):
            with self.subTest(bad=bad), self.assertRaises(ValueError):
                ledger.rows(HEAD + row() + bad)
        with self.assertRaises(ValueError):
            ledger.rows(row())


class Totals(unittest.TestCase):
    def test_add_up_by_version_and_machinery(self):
        sums = ledger.totals(ledger.rows(HEAD + row() + row(counts="seeds=20 steps=7 violations=0")
                                         + row(machinery="fuzz-control", counts="executions=5 violations=0")))
        by_machinery = sums[("1", "1")]
        self.assertEqual(by_machinery["sim"][:2], (2, {"seeds": 120, "steps": 7, "violations": 0}))
        self.assertEqual(by_machinery["fuzz-control"][1]["executions"], 5)

    def test_bound_only_what_ran_clean_since_the_last_violation(self):
        sums = ledger.totals(ledger.rows(HEAD + row() + row(counts="seeds=50 violations=2") + row(counts="seeds=300 violations=0")))
        number, counts, clean = sums[("1", "1")]["sim"]
        self.assertEqual((number, counts["seeds"], counts["violations"]), (3, 450, 2))
        self.assertEqual(ledger.bound_of("sim", clean), "1.0e-02 a seed")

    def test_bound_nothing_where_runs_are_not_independent(self):
        self.assertEqual(ledger.bound_of("fuzz-control", {"executions": 10**9}), "–")
        self.assertEqual(ledger.bound_of("sim", {}), "–")


class Line(unittest.TestCase):
    def test_is_the_last_one_and_must_speak_of_violations(self):
        said = "ledger: machinery=sim seeds=1 violations=0\nledger: machinery=sim seeds=2 violations=1\nbye\n"
        self.assertEqual(ledger.read_line(said), ("sim", {"seeds": 2, "violations": 1}))
        self.assertIsNone(ledger.read_line("all is well\n"))
        for bad in ("ledger: machinery=sim seeds=2", "ledger: machinery=x violations=0",
                    "ledger: machinery=sim violations=none"):
            with self.subTest(bad=bad), self.assertRaises(ValueError):
                ledger.read_line(bad)

    def test_of_a_seeded_machinery_comes_from_a_fresh_seed(self):
        first, second = (ledger.command_of("power", ["--seeds", "3"]) for _ in range(2))
        self.assertNotEqual(first, second)
        self.assertEqual(ledger.command_of("power", ["--seed", "3"])[-2:], ["--seed", "3"])
        self.assertNotIn("--seed", ledger.command_of("fuzz-control", []))


if __name__ == "__main__":
    unittest.main()
