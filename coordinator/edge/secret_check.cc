#include "coordinator/edge/secret_check.h"

#include "common/base/secret_scan.h"
#include "common/wire/text_fields.h"

namespace zq::edge {
namespace {

template <class T>
Result<void> check_texts(const T& value, std::string_view root) {
    Result<void> result;
    wire::for_each_text(value, root, [&](const std::string& text, const wire::TextPlace& place) {
        if (!result) return;
        if (auto ok = check_no_secret(text, {}); !ok) {
            result = fail(ok.error().code, ok.error().message, redacted(place.path()));
        }
    });
    return result;
}

}  // namespace

Result<void> check_no_secrets(const TaskSpec& spec) {
    if (spec.allow_secrets) return {};
    return check_texts(spec, "task");
}

Result<void> check_no_secrets(const wire::Changes& changes, const TaskSpec& revised) {
    if (revised.allow_secrets) return {};
    return check_texts(changes, "changes");
}

Result<void> check_no_secrets(const wire::AnswerQuestion& answer) {
    if (answer.allow_secrets) return {};
    return check_texts(answer, {});
}

Result<void> check_input(const ArtifactRef& input, const TaskSpec& spec) {
    if (spec.allow_secrets || input.secrets.empty()) return {};
    return secret_found("the content of input " + input.name, input.secrets, "task.inputs");
}

}  // namespace zq::edge
