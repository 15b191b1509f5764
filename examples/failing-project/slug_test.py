"""Fails as long as slug() keeps punctuation and runs of hyphens: the task for the example worker."""

import unittest

from slug import slug


class Slug(unittest.TestCase):
    def test_words_are_joined_by_hyphens(self):
        self.assertEqual(slug("A durable queue"), "a-durable-queue")

    def test_punctuation_and_runs_of_blanks_become_one_hyphen(self):
        self.assertEqual(slug("  Leases,  tokens & heartbeats! "), "leases-tokens-heartbeats")


if __name__ == "__main__":
    unittest.main()
