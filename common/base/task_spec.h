// What a submitter hands over: the task envelope and its parts. It never changes after submit. Its
// bounds are in limits.h and are checked by `validate`, for every way in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/approval.h"
#include "common/base/budget.h"
#include "common/base/dependency.h"
#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/limits.h"
#include "common/base/retry_rule.h"
#include "common/base/time.h"

namespace zq {

/// Stored content with a name: an input of a task or an artifact of an attempt.
struct ArtifactRef {
    std::string name;  // see is_valid_artifact_name
    Digest digest;
    std::uint64_t size = 0;
    std::string media;  // media type, such as text/markdown; may be empty
    std::string uri;    // where it was read from (`file:///shared/tasks/task-123.md`), or empty
    bool by_reference = false;              // an input that lies at `uri` alone
    std::vector<std::string> secrets = {};  // kinds of secrets the coordinator found in its text

    friend bool operator==(const ArtifactRef&, const ArtifactRef&) = default;
};

/// What an attempt saved for the ones after it.
struct CheckpointRef {
    std::uint32_t number = 0;   // of the task's checkpoints, from 1
    std::uint32_t attempt = 0;  // that saved it
    Instant at;
    ArtifactRef ref;

    friend bool operator==(const CheckpointRef&, const CheckpointRef&) = default;
};

/// What sent a task back: for its next attempt.
struct Feedback {
    std::uint32_t attempt = 0;  // that it is about; 0: there is none
    std::string text;

    friend bool operator==(const Feedback&, const Feedback&) = default;
};

/// The wait before attempt n+1 after n failures.
struct Backoff {
    enum class Kind : std::uint8_t { kNone, kFixed, kExponential };
    Kind kind = Kind::kExponential;
    Millis min = seconds(5);  // the fixed wait, or the first one
    Millis max = minutes(10);

    friend bool operator==(const Backoff&, const Backoff&) = default;
};

/// `none`, `fixed`, `exp`.
std::string_view to_string(Backoff::Kind kind);
bool from_text(std::string_view text, Backoff::Kind& out);

/// `none`, `fixed:30s`, `exp:5s..10m`.
std::string to_string(const Backoff& backoff);
Result<Backoff> parse_backoff(std::string_view text, std::string field = "backoff");

/// `100ms 1s 15m 2h 3d`; the error names `field`.
Result<Millis> parse_duration(std::string_view text, std::string field);
/// The shortest exact spelling, such as `90s` or `15m`.
std::string to_string(Millis duration);

/// What an artifact must be like.
struct ArtifactRule {
    std::string name;             // without or with its extension
    std::string media;            // its media type; empty: any
    std::uint64_t min_bytes = 0;  // 0: at least one byte
    std::uint64_t max_bytes = 0;  // 0: no bound
    bool required = true;         // false: the rule holds where the artifact is there

    friend bool operator==(const ArtifactRule&, const ArtifactRule&) = default;
};

/// The result contract: what must be there when the task is done, and how it must be.
struct ExpectedOutput {
    std::string format;                  // of the result: `markdown`, `json`, or empty
    std::vector<std::string> artifacts;  // names, without or with their extension
    std::vector<ArtifactRule> rules;     // by name, each name once
    std::string schema;                  // JSON Schema of a json result, as JSON text; or empty
    std::vector<std::string> headings;   // that a markdown result must have
    std::uint64_t max_bytes = 0;         // of the result; 0: no bound

    /// True if there is more in it than names and a format.
    bool has_rules() const {
        return !rules.empty() || !schema.empty() || !headings.empty() || max_bytes != 0;
    }

    friend bool operator==(const ExpectedOutput&, const ExpectedOutput&) = default;
};

/// What a submit does while another unfinished task has its unique key.
enum class OnUnique : std::uint8_t { kReject, kExisting };
/// `reject`, `existing`.
std::string_view to_string(OnUnique on);
bool from_text(std::string_view text, OnUnique& out);

struct TaskSpec {
    Namespace ns = kDefaultNamespace;
    TaskId id;
    RoleName role;
    std::string from;          // who submits, as they call themselves; identity is apart
    std::string type;          // free word of the submitter's, such as `reasoning`
    std::string instructions;  // UTF-8
    std::string payload;       // JSON text, or empty
    int priority = limits::kPriorityDefault;                // 0 to 10, higher first
    Millis ttl{};                                           // while queued; 0: none
    Millis delay{};                                         // before it may start; 0: none
    Millis run_timeout{};                                   // of one attempt; 0: none
    std::uint32_t max_attempts = limits::kAttemptsDefault;  // failures until dead
    std::uint32_t max_lost = limits::kLostDefault;          // lost leases until dead (poison)
    Backoff backoff;
    Budget budget;    // of all attempts together
    GroupName group;  // empty: none
    std::map<std::string, std::string> labels;
    std::string reply_to;  // who reads the answer (`zq results --reply-to`), or empty
    ExpectedOutput expected;
    std::vector<ArtifactRef> inputs;  // the first one named `context` is the context file
    std::string trace_id;
    std::string idempotency_key;
    Instant not_before;      // it may not start before that; unset: at once (`delay` apart)
    Millis deadline{};       // from its submit to its end, all attempts and waits; 0: none
    Millis stall_timeout{};  // of an attempt without a sign of life; 0: what its worker has
    std::vector<RetryRule> retry_rules;  // the first that fits a failure counts
    OnLost on_lost = OnLost::kRetry;
    After after;             // what it waits for
    std::string unique_key;  // at most one unfinished task has it; empty: none
    OnUnique on_unique = OnUnique::kReject;
    std::string limit_key;           // whose limits it shares with other tasks; empty: none
    std::vector<std::string> needs;  // labels that its worker must have, such as `region=eu`
    Approval approval;               // a person's, that it needs
    bool allow_secrets = false;      // its texts may hold what looks like a secret

    friend bool operator==(const TaskSpec&, const TaskSpec&) = default;
};

/// Every bound and spelling of a spec; the error's field is rooted at `task.`.
Result<void> validate(const TaskSpec& spec);
/// What an open task counts for against a bound on bytes: its texts, and its inputs' contents.
std::uint64_t size_of(const TaskSpec& spec);
/// The same for one reference; `field` is its path, such as `task.inputs[2]`.
Result<void> validate(const ArtifactRef& ref, const std::string& field);

/// True if an artifact of this name answers to the expected one.
bool answers_to(const std::string& expected, const std::string& name);
/// True if one of `names` answers to the expected name: equal, or equal up to an extension
/// (`risks` is met by `risks` and `risks.md`).
bool meets_expectation(const std::string& expected, const std::vector<std::string>& names);

}  // namespace zq
