// The flags that describe a task: `submit`, `run`.
#include <array>

#include "cli/submit_spec.h"

namespace zq::cli {
namespace {

constexpr auto kFlags = std::to_array<Flag>({
    {"to", "ROLE[,ROLE]", "The role that shall do it (required); of several each gets a copy"},
    {"task", "FILE|-",
     "The task as JSON, under the names of the envelope or of other queues; flags go before it",
     Takes::kValue, "", 'f'},
    {"type", "WORD", "What kind of work it is, such as review"},
    {"instructions", "TEXT", "What to do"},
    {"file", "FILE", "The context, sent along as input `context` (-: stdin)"},
    {"ref", "URI",
     "The context by reference: file:///PATH, recorded with its digest and read there by the "
     "worker"},
    {"artifact", "[NAME=]FILE", "A further input; may be repeated", Takes::kValues},
    {"payload", "JSON|@FILE", "Structured data for the worker"},
    {"from", "NAME", "Who submits (default: ZQ_FROM, then the user's name)"},
    {"id", "ID", "The task's id (default: a new one that sorts by time)"},
    {"idempotency-key", "KEY", "Submitting again under it gives the same task", Takes::kValue,
     "key"},
    {"unique-key", "KEY", "At most one unfinished task has it"},
    {"on-unique", "reject|existing",
     "Where another has the unique key: refuse this one (default), or give that one"},
    {"limit-key", "KEY",
     "Shares the limits of this key with all tasks that have it; see `zq limit`"},
    {"needs", "LABEL[,LABEL]",
     "Only for a worker with these labels, such as gpu or region=eu; may be repeated",
     Takes::kValues},
    {"priority", "P", "low, normal, high, urgent, or 0 to 10 (default normal: 5)"},
    {"ttl", "D", "Expires if not started within D"},
    {"delay", "D", "Not before D has passed"},
    {"at", "TIME", "Not before TIME, such as 2026-12-24T18:00:00Z"},
    {"run-timeout", "D", "Longest time of one attempt"},
    {"stall-timeout", "D",
     "Longest time of an attempt without a sign of life (default: its worker's own)"},
    {"deadline", "D", "Ends it D after its submit, whatever it does then"},
    {"max-attempts", "N", "Attempts in all, the first included (default 3)"},
    {"backoff", "B", "none, fixed:D or exp:MIN..MAX (default exp:5s..10m)"},
    {"retry-rule", "RULE",
     "What follows from a failure: exit:CODE=ACTION or CLASS=ACTION (retry, retry:D, wait, wait:D, "
     "hold, dead), such as exit:3=dead or rate_limited=wait:10m; may be repeated",
     Takes::kValues},
    {"max-lost", "N", "Lost leases until it is dead as poison (default 3)"},
    {"on-lost", "retry|hold", "After a lost lease: run it again (default), or ask a person"},
    {"approval", "before|after|none",
     "A person approves it before it starts, or its result before it counts (zq approve); the "
     "label side_effects=irreversible asks for before"},
    {"approver", "other|any", "other: not the one who submits it"},
    {"approval-timeout", "D", "Rejected if nobody has approved it by then (default: it waits)"},
    {"budget-usd", "USD", "What its attempts may cost together, such as 2.50"},
    {"budget-tokens", "N", "How many tokens they may use together, input and output"},
    {"on-budget", "ask|dead",
     "When the budget is used up: ask a person (default), or end it as dead"},
    {"after", "ID,…|@FILE", "Waits until these tasks have completed; @FILE: their ids, one a line"},
    {"after-any", "ID,…|@FILE", "Waits until one of these has completed"},
    {"after-done", "ID,…|@FILE", "Waits until these have ended, however"},
    {"after-count", "N", "With --after: N of them are enough"},
    {"on-unmet", "skip|run|dead",
     "What becomes of it when they don't: skipped (default), run with what became of them, or "
     "dead"},
    {"group", "NAME", "A name to wait for several tasks by"},
    {"label", "K=V", "May be repeated", Takes::kValues},
    {"reply-to", "NAME", "Who reads the answer, by `zq results --reply-to NAME`"},
    {"expect", "A,B",
     "Artifacts the result must have, such as summary,patch; each may be NAME:media=TYPE:min=SIZE:"
     "max=SIZE:optional",
     Takes::kValues},
    {"format", "F", "Of the result: markdown or json"},
    {"schema", "FILE", "The JSON Schema that the result fits (format json)"},
    {"heading", "TEXT", "A heading that the result has (format markdown); may be repeated",
     Takes::kValues},
    {"max-result", "SIZE", "The result's most bytes, such as 64KiB"},
    {"allow-secrets", "",
     "Let texts pass that have what looks like a key or a password; the journal says so "
     "(better: secret://NAME, which its worker has)",
     Takes::kNothing},
    {"trace-id", "ID",
     "Passed on to the worker (default: that of the task around it, or a new one)"},
    {"traceparent", "TP", "W3C Trace Context: the trace id is the one in it"},
});

}  // namespace

std::span<const Flag> task_flags() {
    return kFlags;
}

}  // namespace zq::cli
