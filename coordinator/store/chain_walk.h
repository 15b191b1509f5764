// A journal's rows in order, each proved by the hash chain before anybody sees it. What verify,
// export, archive and restore stand on. Applies nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coordinator/store/erase.h"
#include "coordinator/store/reader.h"
#include "coordinator/store/sqlite.h"

namespace zq::store {

/// The chain up to and with an event. Before the first one: seq 0 and 32 zero bytes.
struct ChainPlace {
    Seq seq = 0;
    Digest head;
    friend bool operator==(const ChainPlace&, const ChainPlace&) = default;
};

class ChainWalk {
  public:
    /// Goes on after `after`, up to the last event with seq <= upto. Errors: IO.
    static Result<ChainWalk> open(Database& database, const ChainPlace& after,
                                  Seq upto = INT64_MAX);
    /// The same where it is known already which bodies were erased.
    static Result<ChainWalk> open(Database& database, ErasedBodies erased, const ChainPlace& after,
                                  Seq upto = INT64_MAX);

    /// Steps to the next event. False at the end, and where the chain breaks: nothing after that
    /// can be relied on. Errors: IO.
    Result<bool> next();

    /// The event of the last step; valid until the next one.
    const ChainedEvent& event() const { return event_; }
    std::uint16_t kind() const { return kind_; }
    std::uint16_t version() const { return version_; }
    /// Its body as stored.
    std::string_view body() const { return rows_.blob_at(10); }
    /// The digest of the body as stored, where that is not what it was first.
    std::optional<Digest> erased() const;

    /// How far the chain is proved.
    const ChainPlace& place() const { return place_; }
    /// Where and why it broke, naming the row; empty if it did not.
    const std::string& broken() const { return broken_; }

  private:
    ChainWalk(Statement rows, ErasedBodies erased, const ChainPlace& after)
        : rows_(std::move(rows)), erased_(std::move(erased)), place_(after) {}
    /// What is wrong with the row; empty: nothing.
    std::string check();

    Statement rows_;
    ErasedBodies erased_;
    ChainPlace place_;
    ChainedEvent event_;
    std::uint16_t kind_ = 0;
    std::uint16_t version_ = 0;
    std::string broken_;
};

}  // namespace zq::store
