#include "coordinator/store/chain_walk.h"

#include "common/platform/digest.h"
#include "coordinator/core/redact.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/sqlite_reader.h"

namespace zq::store {
namespace {

constexpr std::string_view kRows =
    "SELECT j.seq, at, epoch, ns, task, kind, version, identity, body_digest, hash, body"
    " FROM journal j LEFT JOIN bodies b ON b.seq = j.seq"
    " WHERE j.seq > ?1 AND j.seq <= ?2 ORDER BY j.seq";

}  // namespace

Result<ChainWalk> ChainWalk::open(Database& database, const ChainPlace& after, Seq upto) {
    auto erased = erased_bodies(database);
    if (!erased) return Failure(erased.error());
    return open(database, std::move(*erased), after, upto);
}

Result<ChainWalk> ChainWalk::open(Database& database, ErasedBodies erased, const ChainPlace& after,
                                  Seq upto) {
    auto rows = database.prepare(kRows);
    if (!rows) return Failure(rows.error());
    rows->number(1, after.seq).number(2, upto);
    return ChainWalk(std::move(*rows), std::move(erased), after);
}

Result<bool> ChainWalk::next() {
    if (!broken_.empty()) return false;
    auto row = rows_.step();
    if (!row || !*row) return row;
    const std::string wrong = check();
    if (!wrong.empty()) {
        broken_ = "event " + std::to_string(rows_.number_at(0)) + ": " + wrong;
        return false;
    }
    place_ = {event_.event.seq, event_.hash};
    return true;
}

std::optional<Digest> ChainWalk::erased() const {
    const auto at = erased_.find(event_.event.seq);
    if (at == erased_.end() || sha256(body()) != at->second) return std::nullopt;
    return at->second;
}

std::string ChainWalk::check() {
    if (rows_.number_at(0) != place_.seq + 1) {
        return "the one before it, " + std::to_string(rows_.number_at(0) - 1) + ", is missing";
    }
    if (rows_.is_null(10)) return "its body is missing";
    auto chained = event_at(rows_);
    if (!chained) return "cannot be read: " + chained.error().message;
    if (!is_body_of(erased_, chained->event.seq, chained->body_digest, body())) {
        return "its body has another digest than it was stored with";
    }
    // Whatever proves it: an erased body has no texts.
    if (sha256(body()) != chained->body_digest &&
        core::redacted(chained->event.body) != chained->event.body) {
        return "its body was erased, and has texts all the same";
    }
    kind_ = static_cast<std::uint16_t>(rows_.number_at(5));
    version_ = static_cast<std::uint16_t>(rows_.number_at(6));
    const std::string header = header_bytes(chained->event, kind_, version_);
    if (chain_hash(place_.head, header, chained->body_digest) != chained->hash) {
        return "its hash does not follow from its fields and the event before it";
    }
    event_ = std::move(*chained);
    return {};
}

}  // namespace zq::store
