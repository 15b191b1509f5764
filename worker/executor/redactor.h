// Takes secrets out of what a command prints, before it is written, read by an adapter or sent:
// values that the worker was given to hide, and what looks like a common key
// (common/base/secret_formats.h). A stream comes in pieces of any length; a secret across their
// borders is found too. One stream's, one thread's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zq::worker {

/// A value that must not be printed, and what it is called.
struct SecretValue {
    std::string name;
    std::string value;
};

class Redactor {
  public:
    /// Empty values are left out.
    explicit Redactor(const std::vector<SecretValue>& values);

    /// What may be shown by now of everything that came. A secret reads `[redacted:KIND]`, or
    /// `[redacted:NAME]` for a value. Held back is only what may be the beginning of a secret.
    std::string take(std::string_view bytes);
    /// The rest.
    std::string finish();

  private:
    std::size_t redact(std::size_t until, std::string& out) const;
    std::size_t held_back() const;

    std::vector<SecretValue> values_;
    std::string held_;         // what is not shown yet, after `context_` bytes that were
    std::size_t context_ = 0;  // 0 or 1: it tells whether a word begins
};

}  // namespace zq::worker
