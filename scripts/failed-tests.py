#!/usr/bin/python3
"""Prints what the failed tests of a ctest run have printed: scripts/failed-tests.py JUNIT_FILE"""

import sys
import xml.etree.ElementTree

LINES = 40  # of each test, from its end

for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    if case.get("status") != "fail":
        continue
    print(f"== {case.get('name')}, after {case.get('time')} s")
    output = case.findtext("system-out") or ""
    print("\n".join(output.splitlines()[-LINES:]))
