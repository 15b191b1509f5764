#!/usr/bin/python3
"""compiled-sources.py BUILD_FOLDER: what the compiler is given for the programs and their libraries, not for the tests: lumps of
files (CMAKE_UNITY_BUILD), and files that are compiled alone. For a linter, which so reads each header once for a lump."""
import json
import pathlib
import sys

ROOMS = ("common/", "coordinator/", "worker/", "cli/")


def main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write(__doc__ + "\n")
        return 2
    for entry in json.loads(pathlib.Path(sys.argv[1], "compile_commands.json").read_text()):
        made = entry["command"].split(" -o ")[1].split()[0]
        if made.startswith(ROOMS) and entry["file"].endswith((".cc", ".cxx")):
            print(entry["file"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
