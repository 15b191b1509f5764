// Backups of the running coordinator: takes the requests, runs one backup at a time on a thread of
// its own, and says how far it is. Used by the loop alone; only the making of the backup itself is
// the thread's.
#pragma once

#include <atomic>
#include <future>
#include <optional>
#include <string>

#include "common/wire/codec.h"
#include "coordinator/store/backup.h"

namespace zq::coordinator {

class BackupDesk {
  public:
    /// `data`: the folder of the journal that this process has open. The desk must end before the
    /// journal is closed: it reads from it.
    BackupDesk(std::string data, std::string program)
        : data_(std::move(data)), program_(std::move(program)) {}
    BackupDesk(const BackupDesk&) = delete;
    BackupDesk& operator=(const BackupDesk&) = delete;
    /// Gives up a backup that runs.
    ~BackupDesk();

    /// Begins one, or says how far that one is which this client instance has begun (or anybody,
    /// while it runs) in this folder. Looks at the folder's place, no more: it does not wait for
    /// the backup. Errors: INVALID and CONFLICT (field `folder`), BUSY (another one runs).
    Result<wire::BackupReply> ask(const wire::Backup& request, const ClientId& client);

    /// True from the request until the last content was taken.
    bool is_running() const {
        return job_ && job_->result.valid() &&
               job_->result.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    }

  private:
    struct Job {
        std::string asked;  // the folder as the request named it
        ClientId client;    // that began it
        wire::BackupReply reply;
        std::future<Result<store::BackupMark>> result;  // invalid once it was taken
    };
    Result<Job> begin(const wire::Backup& request, const ClientId& client);
    void look();

    std::string data_;
    std::string program_;
    std::atomic<bool> stop_ = false;
    std::optional<Job> job_;  // the one that runs, or the last one
};

}  // namespace zq::coordinator
