// The sockets of all attempts: takes what their processes say, answers what can be answered here,
// and hands on what is for the coordinator. Used by the loop's thread alone; nothing here waits.
//
// What an attempt says lives until the coordinator has answered it: checkpoints on disk (kept.h),
// and the session says every word before the attempt's report.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "worker/session/session.h"
#include "worker/task_socket/door.h"
#include "worker/task_socket/request.h"
#include "worker/uploader.h"
#include "worker/workspace/workspace.h"

namespace zq::worker {

/// A word of an attempt for the session.
struct TaskWord {
    LeaseToken lease;
    Word word;
};

class TaskDesk {
  public:
    /// `folder`: of the sockets (socket_folder.h).
    TaskDesk(SocketContext& context, std::string folder);
    ~TaskDesk();

    /// Opens an attempt's socket; gives its path, or nothing where that failed (logged).
    std::string open(const wire::Assign& assign, const Workspace& workspace);
    /// Its command has ended: nobody of it speaks any more.
    void close(const LeaseToken& lease);
    /// Takes these out of all it says from now on. Contents that have one are refused.
    void hide(const LeaseToken& lease, std::vector<SecretValue> secrets);
    /// It is settled, or not ours any more.
    void forget(const LeaseToken& lease);

    /// Everything that was said since; `leases` tells their verdicts.
    std::vector<TaskWord> take(const std::map<LeaseToken, Lease>& leases, Millis now);
    /// What attempts want to have of earlier ones.
    std::vector<FetchPreviousJob> take_fetches() { return std::exchange(fetches_, {}); }
    void fetched(const PreviousFetched& previous);
    /// A question of an attempt is closed.
    void told(const wire::Asked& asked);
    /// A word has its answer.
    void answered(const WordAnswered& news);
    /// Answers those for whom the coordinator takes too long, where they need not wait.
    void tick(Millis now);
    Millis deadline() const;
    void add_poll_items(std::vector<PollItem>& items) const;

  private:
    /// Who waits for the answer to a word.
    struct Waiting {
        Frames envelope;
        std::uint64_t request = 0;
        ClientId client;
        Millis until{};  // then it is told that the word is kept; kNoTime: it waits
        bool kept = false;
        std::vector<std::string> spooled;  // files of its contents
    };
    struct Remembered {
        ClientId client;
        std::uint64_t request = 0;
        wire::Message answer;
    };
    /// A question that the attempt has asked.
    struct Asking {
        wire::Ask word;
        Waiting asker;  // who waits just now: until when it is held back
        bool has_asker = false;
        std::uint64_t said = 0;              // number of the word that is on its way; 0: none
        Millis again{};                      // when it is asked again
        std::optional<wire::Asked> outcome;  // it is closed
    };
    struct Desk {
        OwnAttempt own;
        Workspace workspace;
        std::optional<TaskDoor> door;
        std::map<std::uint64_t, Waiting> waiting;  // by the word's number
        std::deque<Remembered> remembered;         // the last answers: a request may be repeated
        std::map<std::string, Asking> asking;      // by the question's id
        std::vector<SecretValue> secrets;          // that may not leave
    };

    void hear(Desk& desk, Asked asked, Millis now, std::vector<TaskWord>& words);
    bool heard_before(Desk& desk, const Asked& asked);
    void answer(Desk& desk, const Waiting& to, wire::Message message);
    void accept(Desk& desk, const Waiting& to);
    void say(Desk& desk, const Waiting& from, const PassOn& word, std::vector<TaskWord>& words);
    void say(Desk& desk, Waiting from, KeepAndPassOn word, Millis now,
             std::vector<TaskWord>& words);
    void say(Desk& desk, Waiting from, Forward word, std::vector<TaskWord>& words);
    void say(Desk& desk, Waiting from, LookUp word, std::vector<TaskWord>& words);
    void end(Desk& desk, const Waiting& from, const EndWord& word);

    // questions.cc
    void ask(Desk& desk, Waiting from, AskWord word, Millis now);
    void ask_again(Desk& desk, Millis now, std::vector<TaskWord>& words);
    bool heard_asking(Desk& desk, const Asked& asked);
    bool answered_asking(Desk& desk, const WordAnswered& news);
    void answer_asker(Desk& desk, Asking& asking);
    static Millis next_asking(const Desk& desk);
    static void remove_spooled(const Desk& desk, const Waiting& done);

    SocketContext& context_;
    std::string folder_;
    std::map<LeaseToken, Desk> desks_;
    std::vector<FetchPreviousJob> fetches_;
    std::uint64_t last_word_ = 0;
};

}  // namespace zq::worker
