// TOML files as flat tables of settings, by toml++ (seen in config.cc alone). Every complaint names
// the file and the line. Says nothing of what the settings mean.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/error.h"

namespace zq {

/// One setting: its value and the line it stands on.
struct ConfigValue {
    std::variant<std::string, std::int64_t, bool, std::vector<std::string>> value;
    std::uint32_t line = 0;
};

/// A parsed file. Keys inside tables are joined by dots (`table.key`).
class ConfigFile {
  public:
    /// Errors: INVALID with `path:line` (not TOML, or a value that is no string, integer, boolean
    /// or list of strings).
    static Result<ConfigFile> parse(std::string_view text, const std::string& path);
    /// Errors: also NOT_FOUND, IO, TOO_LARGE.
    static Result<ConfigFile> read(const std::string& path);

    /// Refuses the first key that is not one of `known`, and suggests the nearest. Errors: INVALID.
    Result<void> allow_only(const std::vector<std::string>& known) const;

    /// The setting; nullopt where the file has none. Errors: INVALID (another type).
    Result<std::optional<std::string>> text(const std::string& key) const;
    Result<std::optional<std::int64_t>> integer(const std::string& key) const;
    Result<std::optional<bool>> boolean(const std::string& key) const;
    /// A list of strings, or one string as a list of one.
    Result<std::optional<std::vector<std::string>>> texts(const std::string& key) const;

    /// A complaint about a setting's value, with its place: `path:line: key: what`.
    Failure wrong(const std::string& key, const std::string& what) const;
    const std::string& path() const { return path_; }
    /// Every key it has, sorted.
    std::vector<std::string> keys() const;

  private:
    template <class T>
    Result<std::optional<T>> get(const std::string& key, const char* wanted) const;

    std::string path_;
    std::map<std::string, ConfigValue> values_;
};

/// The text as a quoted TOML string.
std::string to_toml(std::string_view text);

}  // namespace zq
