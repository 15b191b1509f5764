// Secrets in what clients write: an envelope, changes to one, an answer are refused with one,
// unless they say that it may stand there (protocol.md, "Secrets"). Pure.
#pragma once

#include "common/wire/client_messages.h"
#include "common/wire/dead_letter_messages.h"

namespace zq::edge {

/// Every text of an envelope. Errors: SECRET_FOUND, naming the field and never the value.
Result<void> check_no_secrets(const TaskSpec& spec);
/// Every text that becomes another in it; `revised`: the envelope as it is to be.
Result<void> check_no_secrets(const wire::Changes& changes, const TaskSpec& revised);
Result<void> check_no_secrets(const wire::AnswerQuestion& answer);

/// An input of `spec` whose content is known. Errors: SECRET_FOUND, as the other ones.
Result<void> check_input(const ArtifactRef& input, const TaskSpec& spec);

}  // namespace zq::edge
