// What the journal holds, under any bytes: event bodies and the records of the projections. A body
// that is read is written back so that it reads as the same one, and its fields can be shown; what
// cannot be read is refused with a code that says so. The first byte picks the decoder, the second
// a body's version.
#include "common/base/check.h"
#include "coordinator/store/event_codec.h"
#include "coordinator/store/record_codec.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/store/story.h"

namespace zq::fuzz {
namespace {

constexpr std::size_t kKinds = std::variant_size_v<core::EventBody>;
constexpr std::size_t kUnknownKind = kKinds;
constexpr std::size_t kTask = kKinds + 1;
constexpr std::size_t kAttempt = kKinds + 2;

bool may_come_from_bytes(const Error& error) {
    return !error.message.empty() &&
           (error.code == ErrorCode::MALFORMED || error.code == ErrorCode::TOO_LARGE ||
            error.code == ErrorCode::INVALID);
}

void check_body(std::uint16_t kind, std::uint16_t version, const std::string& bytes) {
    auto body = store::decode_body(kind, version, bytes);
    if (version == 0 || version > store::kBodyVersion || kind >= kKinds) {
        ZQ_CHECK(!body && body.error().code == ErrorCode::UNSUPPORTED_VERSION);
        return;
    }
    if (!body) {
        ZQ_CHECK(may_come_from_bytes(body.error()));
        return;
    }
    ZQ_CHECK(store::kind_number(*body) == kind);
    const std::string written = store::encode_body(*body);
    auto again = store::decode_body(kind, store::kBodyVersion, written);
    ZQ_CHECK(again.has_value());
    ZQ_CHECK(*again == *body);
    ZQ_CHECK(store::encode_body(*again) == written);
    for (const auto& [name, value] : store::fields_of(*body)) ZQ_CHECK(!name.empty());
}

template <class Record>
void check_record(const std::string& bytes, Result<Record> (*decode)(std::string_view),
                  std::string (*encode)(const Record&)) {
    auto record = decode(bytes);
    if (!record) {
        ZQ_CHECK(may_come_from_bytes(record.error()));
        return;
    }
    const std::string written = encode(*record);
    auto again = decode(written);
    ZQ_CHECK(again.has_value());
    ZQ_CHECK(*again == *record);
    ZQ_CHECK(encode(*again) == written);
}

std::string input_of(std::size_t decoder, std::uint16_t version, const std::string& bytes) {
    return std::string{static_cast<char>(decoder), static_cast<char>(version)} + bytes;
}

}  // namespace

void run(std::string_view input) {
    InputReader reader(input);
    const std::size_t decoder = reader.below(kAttempt + 1);
    const std::uint16_t version = reader.byte();
    const std::string bytes = reader.all();
    if (decoder == kTask) return check_record(bytes, &store::decode_task, &store::encode_task);
    if (decoder == kAttempt) {
        return check_record(bytes, &store::decode_attempt, &store::encode_attempt);
    }
    check_body(static_cast<std::uint16_t>(decoder), version, bytes);
}

std::vector<std::string> seeds() {
    std::vector<std::string> found{input_of(kUnknownKind, store::kBodyVersion, ""),
                                   input_of(0, store::kBodyVersion + 1, "")};
    store::Story story;
    for (const store::Batch& batch : store::tell_everything(story, 1, "t-")) {
        for (const core::Event& event : batch.events) {
            found.push_back(input_of(store::kind_number(event.body), store::kBodyVersion,
                                     store::encode_body(event.body)));
        }
        for (const Shared<core::Task>& task : batch.changes.tasks) {
            found.push_back(input_of(kTask, 1, store::encode_task(*task)));
        }
        for (const core::Attempt& attempt : batch.changes.attempts) {
            found.push_back(input_of(kAttempt, 1, store::encode_attempt(attempt)));
        }
    }
    ZQ_CHECK(found.size() > kKinds);
    return found;
}

}  // namespace zq::fuzz
