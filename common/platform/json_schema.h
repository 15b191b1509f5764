// JSON Schema (draft 7), by valijson (seen in json_schema.cc alone). Schemas come from peers, so
// their cost is bounded before the library sees them: `$ref` leads within the schema only and never
// back to itself, and is put in place of itself; what needs a backtracking regular expression
// (`pattern`, `patternProperties`) is refused; `format` and other annotations check nothing. A
// keyword that is not known is an error: a schema that does not check what it says would be worse
// than none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"

namespace zq {

class JsonSchema {
  public:
    /// Errors: INVALID (not JSON, or no schema that is served; the message has the JSON pointer
    /// into the schema), TOO_LARGE (kSchemaBytes, or too many nodes once each `$ref` is replaced).
    static Result<JsonSchema> parse(std::string_view text, const std::string& field);

    JsonSchema(JsonSchema&&) noexcept;
    JsonSchema& operator=(JsonSchema&&) noexcept;
    ~JsonSchema();

    /// The schema holds for the JSON text. Errors: INVALID (not JSON; or it does not hold: the
    /// message has the JSON pointers of up to five places and what is wrong there), TOO_LARGE (the
    /// check would take more than `most_steps`: nothing is known). A step is one schema node at one
    /// value.
    Result<void> check(std::string_view text, std::uint64_t most_steps) const;

  private:
    struct Body;
    explicit JsonSchema(std::unique_ptr<Body> body);

    std::unique_ptr<Body> body_;
};

}  // namespace zq
