// What the worker was told, or can tell by a name, not to show in logs. The values themselves are
// shown nowhere.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "worker/executor/redactor.h"

namespace zq::worker {

/// Values to take out of what commands print:
/// - of `passed` (NAME=value, what commands get), those whose names speak of secrets (a part
/// SECRET,
///   TOKEN, KEY, PASSWORD, PASSWD, PASSPHRASE, CREDENTIAL or CREDENTIALS, APIKEY, PAT) and that
///   have 8 bytes at least;
/// - of each variable in `named`, from `passed` or else this process's environment;
/// - each line of `file` (empty: none), called `secret`.
/// Of a value of several lines, its long lines too. Errors: INVALID (a variable that is not set, a
/// value shorter than 4 bytes: it would be found in ordinary words), NOT_FOUND, IO.
Result<std::vector<SecretValue>> secret_values(const std::vector<std::string>& passed,
                                               const std::vector<std::string>& named,
                                               const std::string& file);

}  // namespace zq::worker
