#include "worker/outbox.h"

#include <unistd.h>

#include <cstdio>

#include "common/platform/files.h"
#include "common/platform/log.h"
#include "worker/ending.h"

namespace zq::worker {
namespace {

bool is_report(const wire::Body& body) {
    return std::holds_alternative<wire::Complete>(body) ||
           std::holds_alternative<wire::Skip>(body) || std::holds_alternative<wire::Fail>(body) ||
           std::holds_alternative<wire::Release>(body);
}

Result<StoredReport> parse(const std::string& content) {
    const auto end = content.find('\n');
    if (end == std::string::npos) return fail(ErrorCode::MALFORMED, "no type");
    auto message = wire::decode(
        {std::string(wire::kProtocol), content.substr(0, end), content.substr(end + 1)});
    if (!message) return Failure(message.error());
    if (!is_report(message->body)) return fail(ErrorCode::MALFORMED, "not a report");
    StoredReport stored;
    stored.report = std::move(message->body);
    const wire::Report& report = report_part(stored.report);
    stored.held = {report.task, report.attempt, report.lease};
    return stored;
}

}  // namespace

Result<Outbox> Outbox::open(std::string folder) {
    if (auto ok = make_folders(folder, 0700, Durability::kSynced); !ok) return Failure(ok.error());
    return Outbox(std::move(folder));
}

Result<void> Outbox::put(const LeaseToken& lease, const wire::Body& report) const {
    wire::Message message;
    message.body = report;
    const wire::Frames frames = wire::encode(message);
    return write_file(path_of(lease), frames[1] + "\n" + frames[2], 0600, Durability::kSynced);
}

void Outbox::remove(const LeaseToken& lease) const {
    ::unlink(path_of(lease).c_str());
}

std::vector<StoredReport> Outbox::load() const {
    std::vector<StoredReport> all;
    auto names = list_folder(folder_);
    if (!names) return all;
    for (const std::string& name : *names) {
        if (!parse_lease_token(name)) continue;  // a temporary file, or one kept aside
        const std::string path = folder_ + "/" + name;
        auto content = read_file(path);
        auto stored = content ? parse(*content) : Result<StoredReport>(Failure(content.error()));
        if (stored && to_string(stored->held.lease) == name) {
            all.push_back(std::move(*stored));
            continue;
        }
        log_error("outbox file is damaged",
                  {{"path", path}, {"reason", stored ? "wrong name" : stored.error().message}});
        std::rename(path.c_str(), (path + ".bad").c_str());
    }
    return all;
}

}  // namespace zq::worker
