#include "coordinator/store/anchors.h"

#include "coordinator/store/sqlite_recovery.h"

namespace zq::store {

Result<Anchor> take_anchor(Database& database) {
    if (auto ok = database.run("BEGIN"); !ok) return Failure(ok.error());
    auto projected = hash_projected(database);
    // It only ends the snapshot: nothing was written.
    if (auto ok = database.run("COMMIT"); !ok) return Failure(ok.error());
    if (!projected) return Failure(projected.error());
    return Anchor{projected->last_seq, projected->last_at, projected->hash, projected->chain_head};
}

Result<void> write_anchor(Database& database, const Anchor& anchor) {
    auto statement = database.prepare("INSERT OR REPLACE INTO anchors VALUES (?1, ?2, ?3, ?4)");
    if (!statement) return Failure(statement.error());
    return statement->number(1, anchor.seq)
        .integer(2, anchor.at.ms)
        .digest(3, anchor.state)
        .digest(4, anchor.chain_head)
        .run();
}

Result<std::vector<Anchor>> read_anchors(Database& database) {
    auto rows = database.prepare("SELECT seq, at, state, chain_head FROM anchors ORDER BY seq");
    if (!rows) return Failure(rows.error());
    std::vector<Anchor> anchors;
    while (true) {
        auto row = rows->step();
        if (!row) return Failure(row.error());
        if (!*row) return anchors;
        auto state = rows->digest_at(2);
        if (!state) return Failure(state.error());
        auto head = rows->digest_at(3);
        if (!head) return Failure(head.error());
        anchors.push_back({rows->number_at(0), Instant{rows->integer_at(1)}, *state, *head});
    }
}

Result<Seq> last_anchor(Database& database) {
    auto seq = database.number("SELECT coalesce(max(seq), 0) FROM anchors");
    if (!seq) return Failure(seq.error());
    return static_cast<Seq>(*seq);
}

}  // namespace zq::store
