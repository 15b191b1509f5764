#include "tests/simulator/workload.h"

#include <algorithm>

namespace zq::sim {
namespace {

Backoff some_backoff(Rng& rng) {
    switch (rng.below(4)) {
        case 0:
            return {Backoff::Kind::kNone, {}, {}};
        case 1:
            return {Backoff::Kind::kFixed, seconds(rng.between(1, 10)), seconds(10)};
        default:
            return {Backoff::Kind::kExponential, seconds(rng.between(1, 3)), seconds(20)};
    }
}

std::vector<RetryRule> some_rules(Rng& rng) {
    constexpr auto kActions = std::to_array<RetryAction>(
        {RetryAction::kRetry, RetryAction::kWait, RetryAction::kHold, RetryAction::kDead});
    constexpr auto kClasses = std::to_array<FailureClass>(
        {FailureClass::kError, FailureClass::kCrashed, FailureClass::kTimedOut,
         FailureClass::kRefusal, FailureClass::kRateLimited, FailureClass::kPermanent});
    std::vector<RetryRule> rules;
    for (std::uint64_t n = rng.between(1, 3); n > 0; --n) {
        RetryRule rule;
        if (rng.per_mille(300)) {
            rule.exit_code = 1;
        } else {
            rule.failure = kClasses.at(rng.below(kClasses.size()));
        }
        rule.action = kActions.at(rng.below(kActions.size()));
        const bool waits = rule.action == RetryAction::kRetry || rule.action == RetryAction::kWait;
        // A wait that uses no attempt may come again and again: not for an attempt's usual end.
        if (rule.action == RetryAction::kWait && rule.failure != FailureClass::kRateLimited) {
            rule.action = RetryAction::kRetry;
        }
        if (waits && rng.per_mille(500)) rule.wait = seconds(rng.between(1, 8));
        rules.push_back(rule);
    }
    return rules;
}

/// For some of the last ones of the same client, which were acknowledged before.
After some_wait(Rng& rng, const std::string& client, std::uint32_t n) {
    After after;
    for (std::uint32_t back = 1; back <= 3; ++back) {
        if (rng.per_mille(600)) after.tasks.emplace_back(client + "-t" + std::to_string(n - back));
    }
    if (after.tasks.empty()) return {};
    after.mode = static_cast<AfterMode>(rng.below(4));
    if (after.mode == AfterMode::kKOfN) {
        after.count = 1 + static_cast<std::uint32_t>(rng.below(after.tasks.size()));
    }
    after.on_unmet = static_cast<OnUnmet>(rng.below(3));
    return after;
}

Approval some_approval(Rng& rng) {
    Approval approval;
    approval.time = rng.per_mille(600) ? ApprovalTime::kBefore : ApprovalTime::kAfter;
    approval.by_other = rng.per_mille(300);
    if (rng.per_mille(300)) approval.timeout = rng.between(seconds(1), seconds(60));
    return approval;
}

RoleName some_role(Rng& rng) {
    const std::uint64_t n = rng.below(100);
    if (n < 40) return kReview;
    if (n < 72) return kWrite;
    if (n < 84) return kSolo;
    return n < 97 ? kByHand : kNobody;
}

Fate some_fate(Rng& rng) {
    constexpr std::pair<std::uint64_t, Fate> kShares[] = {
        {450, Fate::kSucceed},    {40, Fate::kSkip},        {130, Fate::kFail},
        {20, Fate::kFailForGood}, {50, Fate::kCrash},       {50, Fate::kTryLater},
        {30, Fate::kNotStarted},  {30, Fate::kHang},        {20, Fate::kUnmetUnseen},
        {20, Fate::kTooLong},     {40, Fate::kLargeResult}, {20, Fate::kForgottenPut},
        {30, Fate::kPark},        {20, Fate::kWrongText},   {20, Fate::kDeaf},
        {30, Fate::kBusyService}, {15, Fate::kRefuse}};
    std::uint64_t n = rng.below(1000);
    for (const auto& [share, fate] : kShares) {
        if (n < share) return fate;
        n -= share;
    }
    return Fate::kSucceed;
}

}  // namespace

core::Command some_key_changes(Rng& rng, Instant now) {
    std::map<std::string, std::optional<KeyAccess>> changes;
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
        const std::string fingerprint = "fingerprint-" + std::to_string(rng.below(4));
        std::optional<KeyAccess>& change = changes[fingerprint];
        if (rng.per_mille(300)) continue;
        const std::string right = rng.per_mille(500) ? "read:own" : "read:all";
        change = KeyAccess{Identity("key@" + fingerprint), KeyKind::kClient, {right}, {}, {}};
    }
    core::NoteAccess note;
    for (auto& [fingerprint, access] : changes) note.keys.push_back({fingerprint, access});
    note.reason = "as its file says";
    core::Command command;
    command.now = now;
    command.identity = kSystemIdentity;
    command.body = std::move(note);
    return command;
}

std::string result_text(const TaskId& task, std::uint32_t attempt, Text text) {
    const std::string heading = text == Text::kRight ? "# Result\n\n" : "# Something else\n\n";
    return heading + "the result of " + task.text + "#" + std::to_string(attempt);
}

std::string text_by_hand(const TaskId& task, Text text) {
    return (text == Text::kRight ? "# Result\n\nby hand: " : "by hand: ") + task.text;
}

TaskSpec Workload::task(const std::string& client, std::uint32_t n) const {
    TaskSpec spec;
    spec.id = TaskId(client + "-t" + std::to_string(n));
    Rng rng = rng_.fork(spec.id.text);
    spec.role = some_role(rng);
    spec.from = client;
    spec.instructions = "carry out " + spec.id.text;
    spec.priority = static_cast<int>(rng.between(0, 10));
    spec.max_attempts = static_cast<std::uint32_t>(rng.between(1, 4));
    spec.max_lost = static_cast<std::uint32_t>(rng.between(1, 4));
    spec.backoff = some_backoff(rng);
    if (rng.per_mille(150)) spec.delay = rng.between(millis(1), seconds(60));
    if (rng.per_mille(150)) spec.ttl = spec.delay + rng.between(millis(1), seconds(90));
    if (spec.role == kNobody) spec.ttl = spec.delay + rng.between(seconds(1), seconds(60));
    if (rng.per_mille(300)) spec.run_timeout = rng.between(seconds(5), seconds(60));
    if (rng.per_mille(100)) spec.deadline = spec.delay + rng.between(seconds(10), minutes(5));
    if (rng.per_mille(200)) spec.retry_rules = some_rules(rng);
    if (n > 3 && rng.per_mille(200)) spec.after = some_wait(rng, client, n);
    if (rng.per_mille(120)) spec.on_lost = OnLost::kHold;
    if (rng.per_mille(300)) spec.group = GroupName("g" + std::to_string(rng.below(5)));
    if (rng.per_mille(300)) spec.reply_to = client + "-inbox";
    if (rng.per_mille(500)) spec.idempotency_key = "key-of-" + spec.id.text;
    Rng person = rng_.fork(spec.id.text + "/person");
    if (person.per_mille(120)) spec.approval = some_approval(person);
    if (person.per_mille(40)) spec.labels[std::string(kSideEffects)] = std::string(kIrreversible);
    Rng unique = rng_.fork(spec.id.text + "/unique");
    if (unique.per_mille(80)) {
        spec.unique_key = "unique-" + std::to_string(unique.below(6));
        if (unique.per_mille(400)) spec.on_unique = OnUnique::kExisting;
    }
    Rng held = rng_.fork(spec.id.text + "/limits");
    if (held.per_mille(250)) spec.limit_key = "key-" + std::to_string(held.below(3));
    const bool served = spec.role == kReview || spec.role == kWrite;
    if (served && held.per_mille(120)) spec.needs = {"gpu"};
    if (served && held.per_mille(60)) spec.needs = {"region=eu", "gpu"};
    if (rng.per_mille(200)) spec.expected.artifacts = {"result"};
    if (rng.per_mille(400)) {
        spec.expected.format = "markdown";
        spec.expected.headings = {"Result"};
        spec.expected.rules = {{"result", "", 10, 0, true}};
    }
    if (rng.per_mille(250)) {
        spec.budget.tokens = 500 + rng.below(3'500);
        if (rng.per_mille(300)) spec.budget.usd_micros = 500 + rng.below(3'500);
        if (rng.per_mille(400)) spec.budget.on = OnBudget::kDead;
    }
    return spec;
}

Work Workload::work(const TaskSpec& task, std::uint32_t attempt) const {
    Rng rng = rng_.fork(task.id.text + "#" + std::to_string(attempt));
    Work work;
    work.fate = some_fate(rng);
    work.prepare = rng.between(millis(1), millis(200));
    if (rng.per_mille(30)) work.prepare = rng.between(seconds(1), seconds(20));
    work.run = rng.between(millis(50), seconds(10));
    if (rng.per_mille(200)) work.run = rng.between(seconds(10), seconds(60));
    if (work.fate == Fate::kHang) work.run = minutes(4);
    if (work.fate == Fate::kDeaf) work.run = minutes(6);
    work.conclude = rng.between(millis(1), millis(100));
    if (rng.per_mille(30)) work.conclude = rng.between(seconds(1), seconds(15));
    if (rng.per_mille(700)) {
        work.used = {rng.below(2'000), rng.below(1'000), rng.below(1'000), "sim-1"};
    }
    return work;
}

}  // namespace zq::sim
