#include "worker/task_socket/kept.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "common/platform/files.h"
#include "common/platform/log.h"
#include "common/wire/codec.h"

namespace zq::worker {
namespace {

std::string text_of(const wire::Body& body) {
    const wire::Frames frames = wire::encode({{}, body, {}});
    return frames[1] + "\n" + frames[2];
}

Result<wire::Body> read_body(const std::string& path) {
    auto text = read_file(path, 2 * limits::kMessageBytes);
    if (!text) return Failure(text.error());
    const auto end = text->find('\n');
    if (end == std::string::npos) return fail(ErrorCode::MALFORMED, "no type");
    auto message =
        wire::decode({std::string(wire::kProtocol), text->substr(0, end), text->substr(end + 1)});
    if (!message) return Failure(message.error());
    return std::move(message->body);
}

std::string word_file(const Workspace& workspace, std::uint64_t number) {
    return workspace.words_folder() + "/" + std::to_string(number);
}

}  // namespace

Result<void> keep_final_word(const Workspace& workspace, const wire::Body& report) {
    const std::string text = text_of(report);
    auto before = read_file(workspace.said_file(), 2 * limits::kMessageBytes);
    if (!before) return write_file(workspace.said_file(), text, 0600, Durability::kSynced);
    if (*before == text) return {};
    return fail(ErrorCode::CONFLICT, "this attempt has said another final word before");
}

std::optional<wire::Body> read_final_word(const Workspace& workspace) {
    auto body = read_body(workspace.said_file());
    if (body) return std::move(*body);
    if (body.error().code != ErrorCode::NOT_FOUND) {
        log_warn("a final word cannot be read",
                 {{"path", workspace.said_file()}, {"reason", body.error().message}});
    }
    return std::nullopt;
}

Result<void> keep_word(const Workspace& workspace, std::uint64_t number, const wire::Body& word) {
    if (auto ok = make_folders(workspace.words_folder(), 0700); !ok) return ok;
    return write_file(word_file(workspace, number), text_of(word), 0600, Durability::kSynced);
}

void forget_word(const Workspace& workspace, std::uint64_t number) {
    ::unlink(word_file(workspace, number).c_str());
}

std::vector<std::pair<std::uint64_t, wire::Body>> read_words(const Workspace& workspace) {
    std::vector<std::pair<std::uint64_t, wire::Body>> words;
    auto names = list_folder(workspace.words_folder());
    if (!names) return words;
    for (const std::string& name : *names) {
        std::uint64_t number = 0;
        const char* end = name.data() + name.size();
        if (std::from_chars(name.data(), end, number).ptr != end) continue;  // a temporary file
        auto body = read_body(word_file(workspace, number));
        if (body) {
            words.emplace_back(number, std::move(*body));
        } else {
            log_warn("what an attempt said cannot be read",
                     {{"folder", workspace.folder}, {"reason", body.error().message}});
        }
    }
    std::sort(words.begin(), words.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return words;
}

}  // namespace zq::worker
