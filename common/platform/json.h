// JSON values, by nlohmann (seen in json.cc alone). Objects keep their keys in the order they were
// set. Described structs (pack.h) become JSON with the same field names: Digest as hex, Bytes as
// base64, Millis as a number, Instant as RFC 3339 text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/platform/pack.h"

namespace zq {

class Json {
  public:
    Json();  // null
    Json(const Json&);
    Json(Json&&) noexcept;
    Json& operator=(const Json&);
    Json& operator=(Json&&) noexcept;
    ~Json();

    static Json object();
    static Json array();
    static Json text(std::string_view value);
    static Json number(std::int64_t value);
    static Json number(std::uint64_t value);
    static Json boolean(bool value);
    /// Errors: INVALID (with line and column; `field` as given).
    static Result<Json> parse(std::string_view text, const std::string& field);

    /// The same, but a number with a fraction or an exponent is kept as the text it was written
    /// with
    /// (`as_text`): for money, which no binary fraction holds.
    static Result<Json> parse_exact(std::string_view text, const std::string& field);

    Json& set(std::string_view key, Json value);  // of an object; replaces
    Json& push(Json value);                       // to an array

    bool is_null() const;
    bool is_object() const;
    bool is_array() const;
    std::optional<std::string> as_text() const;
    std::optional<std::int64_t> as_integer() const;
    std::optional<bool> as_boolean() const;
    std::size_t size() const;
    Json at(std::size_t index) const;                      // of an array
    std::optional<Json> find(std::string_view key) const;  // of an object
    std::vector<std::string> keys() const;                 // of an object, in order

    /// One line, or indented by `indent` blanks where it is not negative. UTF-8; bytes that are not
    /// become U+FFFD.
    std::string dump(int indent = -1) const;

  private:
    struct Body;
    std::unique_ptr<Body> body_;
};

/// A described struct, or any value that may stand in one.
template <class T>
Json to_json(const T& value);

}  // namespace zq

#include "common/platform/json_fields.h"
