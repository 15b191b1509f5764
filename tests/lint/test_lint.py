#!/usr/bin/python3
"""The tree keeps its rooms, and the rules that say so catch what they are for."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import layers  # noqa: E402


def include(header):
    return f"#include {header}\n"


# path, its text, a part of the finding
CAUGHT = [
    ("common/base/ids.cc", include("<unistd.h>"), "may not see"),
    ("common/base/ids.cc", include("<nlohmann/json.hpp>"), "only common/platform/json.cc"),
    ("common/base/ids.cc", include('"common/platform/files.h"'), "may not see"),
    ("common/base/ids.cc", include('"common/wire/codec.h"'), "may not see"),
    ("common/wire/codec.cc", include("<msgpack.hpp>"), "only common/platform/pack.cc"),
    ("common/wire/codec.cc", include('"common/platform/socket.h"'), "may not see"),
    ("common/platform/files.cc", include("<zmq.h>"), "only common/platform/socket.cc"),
    ("common/platform/files.cc", include('"common/client/client.h"'), "may not see"),
    ("common/platform/files.cc", include('"coordinator/core/task.h"'), "may not see"),
    ("coordinator/core/decide.cc", include('"common/platform/clock.h"'), "may not see"),
    ("coordinator/core/decide.cc", include('"common/wire/codec.h"'), "may not see"),
    ("coordinator/core/decide.cc", include('"coordinator/store/journal.h"'), "may not see"),
    ("coordinator/core/decide.cc", include("<time.h>"), "may not see"),
    ("coordinator/core/decide.cc", include("<sqlite3.h>"), "only coordinator/store/"),
    ("coordinator/edge/facts.cc", include("<sqlite3.h>"), "only coordinator/store/"),
    ("coordinator/edge/facts.cc", include("<zmq.h>"), "only common/platform/socket.cc"),
    ("coordinator/edge/facts.cc", include('"coordinator/options.h"'), "may not see"),
    ("coordinator/store/journal.h", "// x\n#pragma once\n" + include('"coordinator/edge/facts.h"'), "may not see"),
    ("coordinator/store/schema.cc", include('"common/wire/codec.h"'), "may not see"),
    ("coordinator/loop.cc", include("<CLI/CLI.hpp>"), "only coordinator/options.cc"),
    ("coordinator/loop.cc", include('"worker/options.h"'), "may not see"),
    ("worker/main.cc", include('"coordinator/core/task.h"'), "may not see"),
    ("worker/main.cc", include("<spdlog/spdlog.h>"), "only common/platform/log.cc"),
    ("cli/submit.cc", include('"coordinator/store/reader.h"'), "may not see"),
    ("cli/submit.cc", include("<toml++/toml.h>"), "only common/platform/config.cc"),
    ("cli/submit.cc", include("<openssl/evp.h>"), "only common/platform/digest.cc"),
    ("cli/submit.cc", include('"tests/vectors/samples.h"'), "may not see"),
    ("cli/submit.cc", include("<boost/any.hpp>"), "may not see"),
    ("cli/submit.cc", include('"text.h"'), "no file by its path"),
    ("cli/submit.cc", include('"../common/base/ids.h"'), "no file by its path"),
    ("cli/submit.cc", "  #  include <gtest/gtest.h>\n", "only tests/"),
    ("elsewhere/a.cc", "", "no room"),
    ("worker/a.cc", "\n" * 401, "401 lines"),
    ("tests/python/a.py", "\n" * 401, "401 lines"),
    ("scripts/a.sh", "\n" * 401, "401 lines"),
    ("worker/a.h", "#pragma once\n", "open with what it owns"),
    ("worker/a.h", "// A.\n", "#pragma once"),
    ("worker/a.cc", "// TO" "DO: later\n", "left over"),
    ("scripts/a.sh", "# FIX" "ME\n", "left over"),
    ("cli/a.cc", 'fail("not ' 'implemented");\n', "left over"),
    ("README.md", "XX" "X\n", "left over"),
]

ALLOWED = [
    ("common/base/error.h", "// x\n#pragma once\n" + include("<tl/expected.hpp>") + include("<string>")),
    ("common/wire/envelope.h", "// x\n#pragma once\n" + include('"common/platform/pack.h"')),
    ("coordinator/store/sqlite.cc", include("<sqlite3.h>") + include("<sys/statvfs.h>")),
    ("coordinator/core/decide.cc", include("<map>") + include('"common/base/limits.h"')),
    ("cli/journal_verify.cc", include('"coordinator/store/reader.h"')),
    ("cli/backup.cc", include('"coordinator/store/backup.h"')),
    ("tests/core/a.cc", include('"coordinator/core/decide.h"') + include("<gtest/gtest.h>") + include("<zmq.h>")),
    ("worker/a.cc", "\n" * 400),
    ("worker/a.cc", 'std::string form = "/tmp/zq-XXXXXX";  // prefixes, hacks and to-do lists are words too\n'),
]


class Tree(unittest.TestCase):
    def test_keeps_its_rooms_lengths_and_has_no_left_overs(self):
        found = [line for path, text in layers.sources() for line in layers.violations(path, text)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_is_really_read(self):
        paths = [path for path, _ in layers.sources()]
        for path in ("common/base/limits.h", "coordinator/core/decide.cc", "protocol.md", "tests/lint/layers.py"):
            self.assertIn(path, paths)


class Rules(unittest.TestCase):
    def test_catch_each_sample(self):
        for path, text, part in CAUGHT:
            with self.subTest(path=path, text=text[:60]):
                found = "\n".join(layers.violations(path, text))
                self.assertIn(part, found)

    def test_let_pass_what_is_right(self):
        for path, text in ALLOWED:
            with self.subTest(path=path, text=text[:60]):
                self.assertEqual(layers.violations(path, text), [])


class Page(unittest.TestCase):
    page, errors, limits = ((layers.ROOT / path).read_text(encoding="utf-8")
                            for path in ("protocol.md", "common/base/error.h", "common/base/limits.h"))

    def test_has_a_row_for_every_error_code_and_limit(self):
        self.assertEqual(layers.undocumented(self.page, self.errors, self.limits), [])

    def test_is_caught_without_one(self):
        self.assertEqual(layers.undocumented(self.page.replace("| `STALE_LEASE` |", "| |"), self.errors, self.limits),
                         ["STALE_LEASE"])
        added = self.limits + "inline constexpr std::size_t kForgotten = 1;"
        self.assertEqual(layers.undocumented(self.page, self.errors, added), ["kForgotten"])


if __name__ == "__main__":
    unittest.main()
