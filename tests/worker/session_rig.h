// A session with a clock that the test moves, and a coordinator that is the test: it reads what the
// session sends and answers when it likes.
#pragma once

#include <gtest/gtest.h>

#include "worker/session/session.h"

namespace zq::worker {

inline constexpr JournalId kJournal = 7;

inline LeaseToken token(std::uint64_t number) {
    return {kJournal, number};
}

class SessionRig {
  public:
    explicit SessionRig(std::uint32_t slots = 1, std::vector<StoredReport> stored = {})
        : SessionRig(with_slots(slots), std::move(stored)) {}
    explicit SessionRig(SessionOptions options, std::vector<StoredReport> stored = {})
        : session(std::move(options), std::move(stored)) {
        take(session.start(now));
    }

    static SessionOptions with_slots(std::uint32_t slots) {
        SessionOptions options;
        options.name = WorkerName("host-role-1");
        options.state_id = StateId("0123456789abcdef0123456789abcdef");
        options.incarnation = 3;
        options.roles = {RoleName("role")};
        options.slots = slots;
        return options;
    }

    /// The coordinator answers the last message sent.
    void answer(wire::Body body) { deliver(last_id(), std::move(body)); }
    void deliver(std::uint64_t id, wire::Body body) {
        wire::Message message;
        message.header.id = id;
        message.header.epoch = epoch;
        message.body = std::move(body);
        take(session.receive(message, now));
    }
    void welcome(std::vector<wire::LeaseVerdict> verdicts = {}) {
        wire::Welcome body;
        body.journal = journal;
        body.lease = seconds(60);
        body.heartbeat = seconds(10);
        body.leases = std::move(verdicts);
        deliver(id_of_last<wire::Hello>(), body);
    }
    void assign(std::uint64_t number, const std::string& task, std::uint64_t answers) {
        wire::Assign body;
        body.lease = token(number);
        body.attempt = 1;
        body.term = seconds(60);
        body.answers = answers;
        body.task.id = TaskId(task);
        body.task.role = RoleName("role");
        deliver(0, body);
    }
    void assign(std::uint64_t number, const std::string& task) { assign(number, task, last_id()); }
    void beat(std::vector<wire::LeaseVerdict> verdicts) {
        deliver(id_of_last<wire::Heartbeat>(), wire::Beat{std::move(verdicts)});
    }

    /// Moves the clock, ticking whenever the session asks for it; answers nothing.
    void pass(Millis time) {
        const Millis until = now + time;
        for (int ticks = 0; session.deadline(now) <= until && ticks < 10'000; ++ticks) {
            now = std::max(now, session.deadline(now));
            take(session.tick(now));
        }
        now = until;
        take(session.tick(now));
    }

    std::uint64_t last_id() const { return sent.back().header.id; }
    template <class T>
    const T* last() const {
        for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
            if (const auto* body = std::get_if<T>(&it->body)) return body;
        }
        return nullptr;
    }
    template <class T>
    std::uint64_t id_of_last() const {
        for (auto it = sent.rbegin(); it != sent.rend(); ++it) {
            if (std::holds_alternative<T>(it->body)) return it->header.id;
        }
        return 0;
    }
    template <class T>
    std::size_t count_sent() const {
        return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [](const auto& m) {
            return std::holds_alternative<T>(m.body);
        }));
    }
    template <class T>
    std::size_t count() const {
        return static_cast<std::size_t>(std::count_if(
            done.begin(), done.end(), [](const auto& a) { return std::holds_alternative<T>(a); }));
    }
    template <class T>
    const T* last_action() const {
        for (auto it = done.rbegin(); it != done.rend(); ++it) {
            if (const auto* action = std::get_if<T>(&*it)) return action;
        }
        return nullptr;
    }
    static wire::LeaseVerdict say(std::uint64_t number, Verdict verdict) {
        return {token(number), verdict};
    }
    static wire::Complete complete(std::uint64_t number, const std::string& task) {
        wire::Complete body;
        body.report.task = TaskId(task);
        body.report.attempt = 1;
        body.report.lease = token(number);
        return body;
    }

    void take(Actions actions) {
        for (Action& action : actions) {
            if (auto* send = std::get_if<Send>(&action)) {
                if (connected) {
                    sent.push_back(send->message);
                } else {
                    session.unsent(send->message, now);
                }
            }
            done.push_back(std::move(action));
        }
    }

    Millis now = hours(5);
    Epoch epoch = 4;
    std::string journal = "0000000000000007";
    bool connected = true;  // false: nothing can be handed over
    std::vector<wire::Message> sent;
    Actions done;
    Session session;
};

}  // namespace zq::worker
