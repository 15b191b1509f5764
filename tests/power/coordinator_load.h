// A coordinator's life without its sockets: random commands of workers and clients, decided by the
// real core through the real pipeline. It makes every kind of event, batches of one to hundreds,
// contents inline and in the artifact store. The same random numbers on the same state give the
// same commands. It waits for nothing and checks nothing: the run does (journal_run.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/pipeline.h"
#include "coordinator/store/artifact_store.h"
#include "tests/power/power_disk.h"

namespace zq::power {

class CoordinatorLoad {
  public:
    /// `history`: the events that the pipeline's state was restored from.
    CoordinatorLoad(coordinator::Pipeline& pipeline, const std::vector<core::Event>& history,
                    Random& random);

    /// What a start does, and what its workers do then.
    void begin_service();
    /// Time passes, and some commands are decided: one, or a few, or many.
    void decide_some();
    /// Puts a file into the store as an upload would, and records it. Errors: the store's.
    Result<void> put_artifact(store::ArtifactStore& artifacts);
    /// Something that has ended is run again, repaired or removed. Errors: the store's, that of the
    /// reads.
    Result<void> change_ended(store::Reader& reader);
    /// Every worker leaves, what ran is over, and a minute goes by: nothing holds back what is
    /// unused.
    void knock_off();
    /// Refers no more to what retention has condemned.
    void forget_condemned();
    Instant now() const { return now_; }

  private:
    void run(core::CommandBody body, std::vector<store::InlineContent> contents = {},
             core::Facts facts = {});
    void decide_one();
    void decide_due();
    void open_session(std::size_t worker);
    void heartbeat();
    void submit();
    void claim();
    void end_attempt();
    void note_progress();
    void save_checkpoint();
    void note_usage();
    void ask_person();
    void answer_person();
    void cancel();
    void set_control();
    void note_access();

    std::string text(std::size_t most);
    /// A reference to new or known content; new content is added to the two lists.
    ArtifactRef reference(const std::string& name, std::vector<ArtifactRef>& fresh,
                          std::vector<store::InlineContent>& contents);
    const core::Task* any_task(bool running);
    std::vector<LeaseToken> tokens_of(std::size_t worker);

    coordinator::Pipeline& pipeline_;
    Random& random_;
    Instant now_;
    std::uint64_t request_ = 0;
    std::map<Digest, std::uint64_t> stored_;  // by digest: size
    std::vector<LeaseToken> given_;           // the last leases, ended ones too
};

}  // namespace zq::power
