#!/usr/bin/python3
"""Tasks that wait for others, with real programs: what they left is given to the one that waited; what waits in vain is skipped,
or runs with what became of them, or is cancelled with them."""

from zq_e2e import Case, main

RESEARCH = 'echo "# Findings of $ZQ_TASK_ID" > $ZQ_OUT/result.md\necho data > $ZQ_OUT/table.csv\necho "summary=found by $ZQ_TASK_ID" >> $ZQ_OUTPUT\n'
REPORT = """
cd $ZQ_TASK_DIR
for each in deps/*; do
    if [ -e $each/result.md ]; then cat $each/result.md; else grep -o '"state":"[a-z]*"' $each/task.json; fi
    [ ! -e $each/artifacts/table.csv ] || echo "with a table"
done > $ZQ_OUT/result.md
cp $ZQ_PROMPT_FILE $ZQ_OUT/prompt.md
"""


class Dependencies(Case):
    def worker(self, role, script, name=None):
        path = self.box.write(f"{role}.sh", "set -e\n" + script)
        return self.box.worker(name or role, role, ["/bin/sh", path])

    def test_a_report_waits_for_three_searches_and_gets_what_they_found(self):
        box = self.box
        coordinator = box.coordinator()
        topics = ["sea", "land", "air"]
        for topic in topics:
            box.submit("research", "--id", topic, "--group", "search")
        report = box.submit("report", "--after", ",".join(topics), "--on-unmet", "run")
        self.assertEqual(box.state_of(report), "blocked")
        self.worker("report", REPORT)
        box.zq("cancel", "air")
        coordinator.kill()
        box.coordinator()
        self.worker("research", RESEARCH)
        box.zq("wait", report, "--timeout", "60s")
        self.assertEqual(box.zq("result", report).splitlines(),
                         ['"state":"cancelled"', "# Findings of land", "with a table", "# Findings of sea", "with a table"])
        prompt = box.zq("artifact", "cat", report, "prompt.md")
        self.assertIn("### Task air: cancelled", prompt)
        self.assertIn("# Findings of sea", prompt)

    def test_what_waits_in_vain_is_skipped_and_says_for_whom_it_waited(self):
        box = self.box
        box.coordinator()
        box.submit("r", "--id", "first")
        second = box.submit("r", "--after", "first")
        third = box.submit("r", "--after", second)
        dead = box.submit("r", "--after-any", f"first,{second}", "--on-unmet", "dead")
        box.zq("cancel", "first")
        self.assertEqual([box.state_of(id) for id in (second, third, dead)], ["skipped", "skipped", "dead"])
        self.assertIn("it waited for first", box.show(second)["reason"])
        self.assertEqual(box.show(dead)["dead_reason"], "dependency_failed")
        box.zq("retry", second)
        self.assertEqual(box.state_of(second), "queued")

    def test_a_cancel_that_cascades_takes_all_that_wait_with_it(self):
        box = self.box
        box.coordinator()
        box.submit("r", "--id", "first")
        second = box.submit("r", "--after", "first", "--on-unmet", "run")
        third = box.submit("r", "--after-done", second)
        box.zq("cancel", "first", "--cascade", "--reason", "not needed")
        self.assertEqual([box.state_of(id) for id in ("first", second, third)], ["cancelled"] * 3)

    def test_two_hundred_results_come_together(self):
        box = self.box
        box.coordinator()
        ids = [f"part-{n:03d}" for n in range(200)]
        lines = box.write("parts.jsonl", "".join(f'{{"to":"part","task_id":"{id}"}}\n' for id in ids))
        box.zq("batch", "-f", lines, "-q")
        listed = box.write("ids", "\n".join(ids) + "\n")
        whole = box.submit("whole", "--after", "@" + listed, "--after-count", "150")
        path = box.write("part.sh", "echo $ZQ_TASK_ID > $ZQ_OUT/result.md\n")
        box.worker("p", "part", ["/bin/sh", path], flags=("--slots", "4"))
        box.run(["zq", "wait", "--group", "none"], ok=(3,))
        self.worker("whole", "cat $ZQ_TASK_DIR/deps/*/result.md | wc -l > $ZQ_OUT/result.md\n")
        box.zq("wait", whole, "--timeout", "100s", seconds=120)
        self.assertGreaterEqual(int(box.zq("result", whole)), 150)

    def test_bad_waits_are_refused_and_named(self):
        box = self.box
        box.coordinator()
        box.submit("r", "--id", "there")
        for flags, code, said in ((["--after", "nobody"], 3, "nobody"), (["--id", "me", "--after", "me"], 2, "cycle"),
                                  (["--after", "there", "--after-any", "there"], 2, "--after-any"),
                                  (["--after-count", "2"], 2, "--after-count"), (["--after", "there", "--after-count", "2"], 2, "count"),
                                  (["--on-unmet", "run"], 2, "--on-unmet"), (["--after", "there", "--on-unmet", "x"], 2, "--on-unmet")):
            refused = box.run(["zq", "submit", "--to", "r", "--instructions", "x", *flags], ok=(code,))
            self.assertIn(said, refused.stderr.decode())
        self.assertEqual(len(box.rows("ls")), 1)


if __name__ == "__main__":
    main()
