#!/usr/bin/python3
"""README.md's table of attacks against the attacks that are there: `table.py` compares, `table.py --write` makes it."""
import importlib
import pathlib
import sys
import unittest

README = pathlib.Path(__file__).with_name("README.md")
FAMILIES = ("frames", "packs", "names", "forged", "replays", "floods", "connections", "slow", "artifacts", "agents", "terminals", "keys")
BEGIN, END = "<!-- table: made by table.py -->", "<!-- end of the table -->"


def attacks():
    """(family, attack) of all of them."""
    for name in FAMILIES:
        module = importlib.import_module(name)
        for table in (module.ATTACKS, getattr(module, "FEW", [])):
            for attack in table:
                yield name, attack


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def made():
    lines = ["| family | attack | what it does | what it gets | counted under |", "| --- | --- | --- | --- | --- |"]
    for name, attack in attacks():
        lawful = "; lawful: " + ", ".join(f"`{kind}`" for kind in attack.journals) + " in the journal" if attack.journals else ""
        lines.append(f"| {name} | {cell(attack.name)} | {cell(attack.does)} | {cell(attack.gets)}{lawful} | `{attack.counter}` |")
    return "\n".join(lines)


def split():
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table.strip(), after


class Table(unittest.TestCase):
    def test_says_what_the_attacks_say(self):
        self.assertEqual(split()[1].splitlines(), made().splitlines(), "run tests/hostile/table.py --write")

    def test_has_attacks_enough_and_no_name_twice(self):
        names = [attack.name for _, attack in attacks()]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 60)

    def test_every_attack_is_counted(self):
        for _, attack in attacks():
            self.assertTrue(attack.counter and attack.times > 0, attack.name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        before, _, after = split()
        README.write_text(f"{before}{BEGIN}\n{made()}\n{END}{after}", encoding="utf-8")
    else:
        unittest.main()
