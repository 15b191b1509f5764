#include "coordinator/backup_desk.h"

#include "common/platform/log.h"

namespace zq::coordinator {

BackupDesk::~BackupDesk() {
    stop_ = true;  // the job's future waits for its thread
}

Result<wire::BackupReply> BackupDesk::ask(const wire::Backup& request, const ClientId& client) {
    look();
    if (job_) {
        const bool running = job_->result.valid();
        const bool same = job_->asked == request.folder;
        // Another client's request after the end means another backup, not this one's news.
        if (same && (running || job_->client == client)) return job_->reply;
        if (running) {
            return Failure(
                Error{ErrorCode::BUSY,
                      "a backup into " + job_->reply.folder + " is being made: one at a time",
                      {},
                      seconds(5)});
        }
    }
    auto job = begin(request, client);
    if (!job) return Failure(job.error());
    job_ = std::move(*job);
    return job_->reply;
}

Result<BackupDesk::Job> BackupDesk::begin(const wire::Backup& request, const ClientId& client) {
    auto into = store::take_backup_folder(request.folder, data_);
    if (!into) return Failure(into.error());
    Job job;
    job.asked = request.folder;
    job.client = client;
    job.reply.folder = *into;
    log_info("a backup begins", {{"folder", *into}});
    job.result = std::async(std::launch::async,
                            [order = store::BackupOrder{data_, *into, program_}, &stop = stop_] {
                                return store::write_backup(order, stop);
                            });
    return job;
}

/// Takes the result when it is there.
void BackupDesk::look() {
    if (!job_ || !job_->result.valid()) return;
    if (job_->result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
    auto mark = job_->result.get();
    wire::BackupReply& reply = job_->reply;
    if (!mark) {
        reply.state = wire::BackupState::kFailed;
        reply.message = mark.error().message;
        log_error("a backup failed", {{"folder", reply.folder}, {"error", reply.message}});
        return;
    }
    reply.state = wire::BackupState::kDone;
    reply.last_seq = mark->last_seq;
    reply.chain_head = mark->chain_head;
    reply.artifacts = mark->artifacts;
    reply.bytes = mark->bytes;
    log_info("a backup is done", {{"folder", reply.folder},
                                  {"last_seq", std::to_string(reply.last_seq)},
                                  {"chain_head", to_hex(reply.chain_head)}});
}

}  // namespace zq::coordinator
