#include "coordinator/store/verify_projection.h"

#include "common/base/secret_scan.h"
#include "common/platform/digest.h"
#include "coordinator/store/erase.h"
#include "coordinator/store/record_codec.h"

namespace zq::store {
namespace {

constexpr int kSecretsSince = 7;  // the format that brought contents.secrets

std::string name_of(const core::Attempt& attempt) {
    return "attempt " + std::to_string(attempt.attempt) + " of task " + attempt.task.id.text;
}

TaskColumns columns_at(const Statement& row) {
    return {row.text_at(3), row.integer_at(4) != 0, row.text_at(2), row.text_at(5),
            row.text_at(6), row.text_at(7),         row.text_at(8)};
}

}  // namespace

void note_problem(VerifyReport& report, std::string sentence) {
    if (report.problems.size() < kProblems) report.problems.push_back(std::move(sentence));
}

ProjectionCheck::ProjectionCheck(const CheckParts& parts, VerifyReport& report)
    : database_(parts.database),
      artifacts_(parts.artifacts),
      depth_(parts.depth),
      format_(parts.format),
      report_(report),
      removals_(parts.database, parts.format, report) {}

Result<void> ProjectionCheck::prepare() {
    auto task = database_.prepare(
        "SELECT submitted_seq, changed_seq, role, state, ended, grp, sender, reply_to,"
        " idempotency_key, record FROM tasks WHERE ns = ?1 AND id = ?2");
    if (!task) return Failure(task.error());
    auto attempt = database_.prepare(
        "SELECT ended_seq, record FROM attempts WHERE ns = ?1 AND task = ?2 AND attempt = ?3");
    if (!attempt) return Failure(attempt.error());
    const std::string secrets = format_ < kSecretsSince ? "NULL" : "secrets";
    auto content = database_.prepare("SELECT stored_seq, size, inlined, data, " + secrets +
                                     " FROM contents WHERE digest = ?1");
    if (!content) return Failure(content.error());
    task_ = std::move(*task);
    attempt_ = std::move(*attempt);
    content_ = std::move(*content);
    return removals_.prepare();
}

Result<void> ProjectionCheck::follow(const core::Event& event) {
    if (auto ok = removals_.follow(event); !ok) return ok;
    if (const auto* stored = std::get_if<core::ContentStored>(&event.body)) {
        return compare_content(event.seq, *stored);
    }
    if (const auto* submitted = std::get_if<core::TaskSubmitted>(&event.body)) {
        for (const ArtifactRef& ref : submitted->spec->inputs) {
            if (ref.by_reference) continue;
            auto ok = check_reference(ref, event.seq,
                                      "input " + ref.name + " of task " + event.task.id.text);
            if (!ok) return ok;
        }
    }
    if (const core::Revision* revision = core::revision_of(event.body)) {
        return follow(*revision);
    }
    if (const auto* ended = std::get_if<core::AttemptEnded>(&event.body)) {
        for (const ArtifactRef& ref : ended->attempt.artifacts) {
            auto ok = check_reference(ref, event.seq,
                                      "artifact " + ref.name + " of " + name_of(ended->attempt));
            if (!ok) return ok;
        }
    }
    return {};
}

/// A task that had ended before the base counts in its sum no more: its attempts are compared here.
Result<void> ProjectionCheck::follow(const core::Revision& revision) {
    if (revision.before.changed_seq > report_.base_seq) return {};
    for (const core::Attempt& attempt : revision.attempts) {
        if (auto ok = compare_attempt(attempt); !ok) return ok;
    }
    return {};
}

Result<void> ProjectionCheck::compare_changes(core::State& state) {
    const core::Changes changes = core::take_changes(state);
    for (const Shared<core::Task>& task : changes.tasks) {
        if (auto ok = compare_task(*task); !ok) return ok;
    }
    for (const core::Attempt& attempt : changes.attempts) {
        if (auto ok = compare_attempt(attempt); !ok) return ok;
    }
    core::forget_projected(state, state.durable.last_seq);
    return {};
}

Result<void> ProjectionCheck::compare_task(const core::Task& task) {
    task_.text(1, task.key.ns.text).text(2, task.key.id.text);
    ResetAtEnd reset_at_end(task_);
    auto row = task_.step();
    if (!row) return Failure(row.error());
    const std::string name = "task " + task.key.id.text;
    if (!*row) {
        auto removed = removals_.task_was_removed(task.key, task.changed_seq);
        if (!removed) return Failure(removed.error());
        if (!*removed) note_problem(report_, name + " has no row");
        return {};
    }
    if (task_.number_at(1) > task.changed_seq) return {};  // changed again by a later event
    ++report_.tasks;
    // Byte for byte: what a reader would skip is a change too.
    if (task_.blob_at(9) != encode_task(task) || task_.number_at(1) != task.changed_seq ||
        task_.number_at(0) != task.submitted_seq || columns_at(task_) != columns_of(task) ||
        task_.number_at(4) > 1) {
        note_problem(report_, "the row of " + name + " is not what its events lead to");
    }
    return {};
}

Result<void> ProjectionCheck::compare_attempt(const core::Attempt& attempt) {
    attempt_.text(1, attempt.task.ns.text).text(2, attempt.task.id.text);
    attempt_.integer(3, attempt.attempt);
    ResetAtEnd reset_at_end(attempt_);
    auto row = attempt_.step();
    if (!row) return Failure(row.error());
    if (!*row) {
        auto removed = removals_.task_was_removed(attempt.task, attempt.ended_seq);
        if (!removed) return Failure(removed.error());
        if (!*removed) note_problem(report_, name_of(attempt) + " has no row");
        return {};
    }
    if (attempt_.number_at(0) > attempt.ended_seq) return {};  // it was resumed and ended again
    ++report_.attempts;
    if (attempt_.blob_at(1) != encode_attempt(attempt) ||
        attempt_.number_at(0) != attempt.ended_seq) {
        note_problem(report_, "the row of " + name_of(attempt) + " is not what its events lead to");
    }
    return {};
}

/// The first event about a content wrote its row.
Result<void> ProjectionCheck::compare_content(Seq seq, const core::ContentStored& body) {
    content_.digest(1, body.digest);
    ResetAtEnd reset_at_end(content_);
    auto row = content_.step();
    if (!row) return Failure(row.error());
    const std::string name = "content " + to_hex(body.digest);
    if (!*row || content_.number_at(0) > seq) {
        auto condemned = removals_.was_condemned(body.digest, seq);
        if (!condemned) return Failure(condemned.error());
        if (!*condemned) note_problem(report_, name + " has no row of its first event");
        return {};
    }
    if (content_.number_at(0) < seq) return {};  // compared at its first event
    ++report_.contents;
    const bool inlined = content_.integer_at(2) != 0;
    const bool flagged = content_.is_null(4) ? body.secrets.empty()
                                             : content_.text_at(4) == kinds_text(body.secrets);
    if (content_.number_at(1) != body.size || content_.integer_at(2) != (body.inlined ? 1 : 0) ||
        content_.is_null(3) == inlined || !flagged) {
        note_problem(report_, "the row of " + name + " is not what its event says");
    } else if (!inlined) {
        check_bytes(body.digest, body.size);
    } else if (sha256(content_.blob_at(3)) != body.digest) {
        note_problem(report_, name + ": the stored bytes have another digest");
    }
    return {};
}

Result<void> ProjectionCheck::check_reference(const ArtifactRef& ref, Seq seq,
                                              const std::string& where) {
    content_.digest(1, ref.digest);
    ResetAtEnd reset_at_end(content_);
    auto row = content_.step();
    if (!row) return Failure(row.error());
    if (*row) return {};
    auto condemned = removals_.was_condemned(ref.digest, seq);
    if (!condemned) return Failure(condemned.error());
    if (!*condemned) {
        note_problem(report_, where + ": content " + to_hex(ref.digest) + " is not stored");
    }
    return {};
}

void ProjectionCheck::check_bytes(const Digest& digest, std::uint64_t size) {
    const std::string name = "content " + to_hex(digest);
    auto found = artifacts_.size(digest);
    if (!found) {
        note_problem(report_, name + " is missing from the artifacts folder");
    } else if (*found != size) {
        note_problem(report_, name + " has " + std::to_string(*found) + " bytes instead of " +
                                  std::to_string(size));
    } else if (depth_ == VerifyDepth::kContents && !artifacts_.verify(digest)) {
        note_problem(report_, name + ": the stored bytes have another digest");
    }
}

Result<void> ProjectionCheck::compare_base(const Base& base) {
    auto kept = sum_kept(database_, base);
    if (!kept) return Failure(kept.error());
    if (kept->sum != base.kept) {
        note_problem(report_, "a row that stayed from before event " +
                                  std::to_string(base.place.seq + 1) + " has changed");
        return {};
    }
    kept_events_ = kept->events;
    removals_.start_from(base, kept->removals);
    report_.tasks += kept->tasks;
    report_.attempts += kept->attempts;
    report_.contents += kept->contents;
    Result<void> compared;
    base.state.durable.open.for_each([&](const core::Task& task) {
        if (compared) compared = compare_task(task);
    });
    if (!compared) return compared;
    for (const core::Attempt& attempt : base.attempts) {
        if (auto ok = compare_attempt(attempt); !ok) return ok;
    }
    if (auto ok = check_kept_bodies(base.place.seq); !ok) return ok;
    return check_kept_contents(base.place.seq);
}

Result<void> ProjectionCheck::check_kept_bodies(Seq upto) {
    auto erased = erased_bodies(database_);
    if (!erased) return Failure(erased.error());
    auto rows = database_.prepare(
        "SELECT j.seq, body_digest, body FROM journal j LEFT JOIN bodies b ON b.seq = j.seq"
        " WHERE j.seq <= ?1");
    if (!rows) return Failure(rows.error());
    rows->number(1, upto);
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        auto digest = rows->digest_at(1);
        if (digest && !rows->is_null(2) &&
            is_body_of(*erased, rows->number_at(0), *digest, rows->blob_at(2))) {
            continue;
        }
        note_problem(report_, "event " + std::to_string(rows->number_at(0)) +
                                  ": its body is missing or has another digest");
    }
}

Result<void> ProjectionCheck::check_kept_contents(Seq upto) {
    auto rows = database_.prepare(
        "SELECT digest, size, inlined, data FROM contents WHERE stored_seq <= ?1");
    if (!rows) return Failure(rows.error());
    rows->number(1, upto);
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return {};
        auto digest = rows->digest_at(0);
        if (!digest) return Failure(digest.error());
        if (rows->integer_at(2) == 0) {
            check_bytes(*digest, rows->number_at(1));
        } else if (sha256(rows->blob_at(3)) != *digest) {
            note_problem(report_,
                         "content " + to_hex(*digest) + ": the stored bytes have another digest");
        }
    }
}

Result<void> ProjectionCheck::compare_totals() {
    const std::uint64_t events = kept_events_ + report_.events;
    if (auto ok = compare_total("journal", events); !ok) return ok;
    if (auto ok = compare_total("bodies", events); !ok) return ok;
    if (auto ok = compare_total("tasks", report_.tasks); !ok) return ok;
    if (auto ok = compare_total("attempts", report_.attempts); !ok) return ok;
    if (auto ok = compare_total("contents", report_.contents); !ok) return ok;
    return removals_.compare();
}

Result<void> ProjectionCheck::compare_total(std::string_view table, std::uint64_t matched) {
    auto rows = database_.number("SELECT count(*) FROM " + std::string(table));
    if (!rows) return Failure(rows.error());
    if (static_cast<std::uint64_t>(*rows) != matched) {
        note_problem(report_, "table " + std::string(table) + " has " + std::to_string(*rows) +
                                  " rows, the events lead to " + std::to_string(matched));
    }
    return {};
}

}  // namespace zq::store
