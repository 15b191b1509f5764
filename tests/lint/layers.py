#!/usr/bin/python3
"""Which file may include what, how long it may be, and what no file may contain.

Debian puts all headers into /usr/include, so linking cannot keep the rooms apart: this reads the #include
lines. Run by hand it prints every violation of the tree and exits 1; test_lint.py runs it in the tests,
together with samples that it must catch.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("common", "coordinator", "worker", "cli", "tests", "scripts", "examples", ".ci")
MAX_LINES = 400

COMMON = ("common/",)
ANY_SYSTEM = "any"  # the standard library and the operating system's headers
STD_ONLY = "std"

# Place (the longest that a path starts with counts): what it may include of ours, and of the system.
ROOMS = {
    "common/base/": (("common/base/",), STD_ONLY),
    "common/wire/": (("common/base/", "common/wire/", "common/platform/pack.h"), STD_ONLY),
    "common/platform/": (("common/base/", "common/wire/", "common/platform/"), ANY_SYSTEM),
    "common/client/": (COMMON, ANY_SYSTEM),
    "coordinator/core/": (("common/base/", "coordinator/core/"), STD_ONLY),
    "coordinator/store/": (("common/base/", "common/platform/", "common/wire/envelope.h", "coordinator/core/",
                            "coordinator/store/"), ANY_SYSTEM),
    "coordinator/edge/": (("common/base/", "common/wire/", "common/platform/", "coordinator/core/",
                           "coordinator/edge/", "coordinator/store/reader.h", "coordinator/store/journal.h",
                           "coordinator/store/artifact_store.h", "coordinator/store/erasable.h",
                           "coordinator/store/event_codec.h"), STD_ONLY),
    "coordinator/": (("common/base/", "common/wire/", "common/platform/", "coordinator/"), ANY_SYSTEM),
    "worker/session/": (("common/base/", "common/wire/", "worker/"), STD_ONLY),
    "worker/": (("common/", "worker/"), ANY_SYSTEM),
    "cli/journal": (("common/", "cli/", "coordinator/core/", "coordinator/store/"), ANY_SYSTEM),
    "cli/backup": (("common/", "cli/", "coordinator/core/", "coordinator/store/"), ANY_SYSTEM),
    "cli/": (("common/", "cli/"), ANY_SYSTEM),
    "tests/": (("common/", "coordinator/", "worker/", "cli/", "tests/"), ANY_SYSTEM),
    # What an installed zq offers to programs outside.
    "examples/": (("examples/", "common/client/", "worker/handler.h"), ANY_SYSTEM),
}

# A library's header: the only places that may see it (tests may see their own).
LIBRARIES = {
    "tl/": ("common/base/error.h",),
    "msgpack": ("common/platform/pack.cc",),
    "zmq": ("common/platform/socket.cc", "common/platform/keys.cc"),
    "sqlite3": ("coordinator/store/",),
    "absl/": ("coordinator/core/open_tasks.h", "coordinator/core/ready_queue.h", "coordinator/core/state.h"),
    "nlohmann/": ("common/platform/json.cc", "common/platform/json_fields.h", "common/platform/json_schema.cc"),
    "valijson/": ("common/platform/json_schema.cc",),
    "toml++/": ("common/platform/config.cc",),
    "spdlog/": ("common/platform/log.cc",),
    "fmt/": ("common/platform/log.cc",),
    "openssl/": ("common/platform/digest.cc",),
    "CLI/": ("coordinator/options.cc", "worker/options.cc", "cli/arguments.cc"),
    "gtest/": ("tests/",),
    "benchmark/": ("tests/bench/",),
    "hiredis/": ("tests/bench/",),
    "gmock/": ("tests/",),
}

# Limits that no peer can meet.
NO_PEERS_BUSINESS = {"kTurnMessages", "kBatchEvents", "kUncommittedBatches", "kUncommittedBytes", "kTickItems"}

# What is left over from unfinished work. Spelled in halves, or this file would be its own finding.
LEFT_OVERS = re.compile(r"\b(?:" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK", "TB" "D", "WI" "P")) +
                        r")\b|\bnot (?:yet )?" r"implemented\b|\b[Uu]n" r"implemented\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    places = [place for place in ROOMS if path.startswith(place)]
    return ROOMS[max(places, key=len)] if places else None


def is_std(header):
    """<vector>, <cstdint>; the C headers of POSIX end in .h."""
    return re.fullmatch(r"[a-z_0-9]+", header) is not None


def include_violations(path, text):
    room = room_of(path)
    if room is None:
        yield f"{path}: stands in no room that tests/lint/layers.py knows"
        return
    ours, system = room
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path}:{number}: includes {header}"
        if quote == '"':
            if not (ROOT / header).is_file() or ".." in header:
                yield f"{where}, which is no file by its path from the root"
            elif not header.startswith(ours):
                yield f"{where}, which its room may not see"
            continue
        library = next((name for name in LIBRARIES if header.startswith(name)), None)
        if library:
            if not path.startswith(LIBRARIES[library]) and not path.startswith("tests/"):
                yield f"{where}: only {', '.join(LIBRARIES[library])} may"
        elif not is_std(header) and (system == STD_ONLY or "/" in header and not header.startswith(("sys/", "linux/",
                                                                                               "netinet/", "arpa/"))):
            yield f"{where}, which its room may not see"


def text_violations(path, text):
    lines = text.splitlines()
    if len(lines) > MAX_LINES and path.endswith((".h", ".cc", ".py", ".sh")):
        yield f"{path}: {len(lines)} lines; at most {MAX_LINES}: what does it hide?"
    if path.endswith(".h"):
        if not text.startswith("//"):
            yield f"{path}: does not open with what it owns"
        if "#pragma once" not in text:
            yield f"{path}: lacks #pragma once"
    for number, line in enumerate(lines, 1):
        if LEFT_OVERS.search(line):
            yield f"{path}:{number}: left over: {line.strip()}"


def violations(path, text):
    """Everything that is wrong with one file; `path` from the root."""
    found = list(text_violations(path, text))
    if path.endswith((".h", ".cc")):
        found += include_violations(path, text)
    return found


def undocumented(page, errors, limits):
    """Error codes and limits of the headers that have no row in protocol.md (values: tests/vectors)."""
    names = re.findall(r"\bX\((\w+), (?:true|false),", errors) + re.findall(r"inline constexpr [\w:]+ (k\w+) =", limits)
    return [name for name in names if name not in NO_PEERS_BUSINESS and f"\n| `{name}` |" not in page]


def sources():
    """(path from the root, text) of every source, script and page of the tree."""
    files = [ROOT / name for name in ("CMakeLists.txt", "README.md", "protocol.md", "CHANGELOG.md")]
    for folder in FOLDERS:
        files += sorted((ROOT / folder).rglob("*"))
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        if file.is_file() and not file.is_symlink() and "__pycache__" not in path:
            try:
                yield path, file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a fixture in bytes


def main():
    found = [line for path, text in sources() for line in violations(path, text)]
    print("\n".join(found) if found else "layers, lengths and left-overs: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
