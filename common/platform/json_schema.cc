#include "common/platform/json_schema.h"

#define VALIJSON_USE_EXCEPTIONS 1
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "common/base/limits.h"
#include "common/platform/json.h"
#include "common/platform/json_pointer.h"

namespace zq {
namespace {

using Value = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr std::size_t kToldErrors = 5;
constexpr std::size_t kToldBytes = 300;  // of one of them
constexpr std::uint64_t kBytesAStep = 64;
constexpr std::int64_t kMultipleMost = 1LL << 53;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// What holds schemas, by how it holds them; the others hold plain values.
constexpr auto kOneSchema =
    std::to_array<std::string_view>({"additionalProperties", "items", "additionalItems", "contains",
                                     "propertyNames", "not", "if", "then", "else"});
constexpr auto kSchemaLists = std::to_array<std::string_view>({"allOf", "anyOf", "oneOf", "items"});
constexpr auto kSchemaMaps = std::to_array<std::string_view>({"properties", "dependencies"});
constexpr auto kPlain = std::to_array<std::string_view>(
    {"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
     "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties",
     "maxProperties", "required"});
// They say nothing about what is valid.
constexpr auto kAnnotations = std::to_array<std::string_view>(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "format",
     "readOnly", "writeOnly", "deprecated", "contentMediaType", "contentEncoding", "definitions",
     "$defs"});

bool is_type(const Value& value) {
    if (value.is_string()) return true;
    return value.is_array() && std::all_of(value.begin(), value.end(),
                                           [](const Value& word) { return word.is_string(); });
}

/// Makes the schema that the library gets: known keywords only, each `$ref` replaced by what it
/// names.
class Builder {
  public:
    explicit Builder(const Value& root) : root_(root) {}

    Result<Value> build(const Value& from, const std::string& at, std::size_t depth) {
        if (++nodes_ > limits::kSchemaNodes) {
            return fail(ErrorCode::TOO_LARGE, "more than " + std::to_string(limits::kSchemaNodes) +
                                                  " schemas in it, each $ref counted");
        }
        if (depth > limits::kSchemaDepth)
            return refuse(at, "nested too deeply, or a $ref leads to itself");
        if (from.is_boolean()) return from;
        if (!from.is_object()) return refuse(at, "a schema is an object or a boolean");
        if (from.contains("$ref")) return follow(from.at("$ref"), at, depth);
        Value built = Value::object();
        for (const auto& [keyword, value] : from.items()) {
            if (is_one_of(kAnnotations, keyword) || keyword.starts_with("x-")) continue;
            const std::string place = at + "/" + json_pointer::escaped(keyword);
            auto made = keyword_value(keyword, value, place, depth);
            if (!made) return made;
            built[keyword] = std::move(*made);
        }
        return built;
    }

    bool compares_items() const { return compares_items_; }
    std::size_t nodes() const { return nodes_; }

  private:
    static Failure refuse(const std::string& at, const std::string& what) {
        return fail(ErrorCode::INVALID, "at " + (at.empty() ? "the root" : at) + ": " + what);
    }

    Result<Value> follow(const Value& ref, const std::string& at, std::size_t depth) {
        const std::string target = ref.is_string() ? ref.get<std::string>() : std::string();
        if (target != "#" && !target.starts_with("#/")) {
            return refuse(at, "a $ref leads within the schema: #/definitions/NAME or #/$defs/NAME");
        }
        const Value* found = &root_;
        for (const std::string& step : json_pointer::steps_of(target.substr(1))) {
            if (!found->is_object() || !found->contains(step)) {
                return refuse(at, "$ref " + target + " names nothing");
            }
            found = &found->at(step);
        }
        return build(*found, at, depth + 1);
    }

    Result<Value> keyword_value(const std::string& keyword, const Value& value,
                                const std::string& at, std::size_t depth) {
        if (value.is_array() && is_one_of(kSchemaLists, keyword)) return list_of(value, at, depth);
        if (is_one_of(kOneSchema, keyword)) return build(value, at, depth + 1);
        if (is_one_of(kSchemaMaps, keyword)) return map_of(value, at, depth);
        if (!is_one_of(kPlain, keyword)) {
            return refuse(at, keyword.starts_with("pattern") ? "regular expressions are not served"
                                                             : "a keyword that is not served");
        }
        if (keyword == "enum" && value.is_array()) nodes_ += value.size();
        if (keyword == "uniqueItems") compares_items_ = compares_items_ || value == Value(true);
        // The library divides by it.
        if (keyword == "multipleOf" &&
            !(value.is_number() && value > Value(0) && value <= Value(kMultipleMost))) {
            return refuse(at, "a number above 0, at most 2^53");
        }
        if (keyword == "type" && !is_type(value)) return refuse(at, "a word or a list of words");
        return value;
    }

    Result<Value> list_of(const Value& value, const std::string& at, std::size_t depth) {
        Value list = Value::array();
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto made = build(value.at(i), at + "/" + std::to_string(i), depth + 1);
            if (!made) return made;
            list.push_back(std::move(*made));
        }
        return list;
    }

    Result<Value> map_of(const Value& value, const std::string& at, std::size_t depth) {
        if (!value.is_object()) return refuse(at, "an object");
        Value map = Value::object();
        for (const auto& [name, schema] : value.items()) {
            const std::string place = at + "/" + json_pointer::escaped(name);
            if (schema.is_array()) {  // dependencies of names
                map[name] = schema;
                nodes_ += schema.size();
                continue;
            }
            auto made = build(schema, place, depth + 1);
            if (!made) return made;
            map[name] = std::move(*made);
        }
        return map;
    }

    const Value& root_;
    std::size_t nodes_ = 0;
    bool compares_items_ = false;
};

/// How much there is to look at: values, long texts, and pairs of items where they are compared.
std::uint64_t size_of(const Value& value, bool compares_items) {
    std::uint64_t size = 1;
    if (value.is_string()) size += value.get_ref<const std::string&>().size() / kBytesAStep;
    if (!value.is_structured()) return size;
    if (value.is_array() && compares_items) size += value.size() * value.size() / 2;
    for (const auto& item : value) size += size_of(item, compares_items);
    return size;
}

/// JSON that is not nested too deeply, by the checks of `Json`.
Result<Value> parse_value(std::string_view text) {
    if (auto json = Json::parse(text, ""); !json) return Failure(json.error());
    return Value::parse(text);
}

/// `/risks/0/level: …` for the first few findings; those that only repeat that an inner one failed
/// are left out.
std::string told(valijson::ValidationResults& results) {
    std::string text;
    std::size_t count = 0;
    valijson::ValidationResults::Error error;
    std::string before;
    while (results.popError(error)) {
        const std::string place = json_pointer::of_context(error.context);
        const bool repeats = !before.empty() && before.starts_with(place) && before != place;
        if (repeats) continue;
        before = place.empty() ? before : place;
        if (++count > kToldErrors) break;
        std::string line = (place.empty() ? "the root" : place) + ": " + error.description;
        if (line.size() > kToldBytes) {
            line.resize(kToldBytes);
            for (int i = 0; i < 3 && !pack::is_utf8(line); ++i) line.pop_back();
        }
        text += (text.empty() ? "at " : "; at ") + line;
    }
    return text.empty() ? "it does not fit the schema" : text;
}

}  // namespace

struct JsonSchema::Body {
    Value document;  // the library's schema points into it
    valijson::Schema schema;
    std::size_t nodes = 0;
    bool compares_items = false;
};

JsonSchema::JsonSchema(std::unique_ptr<Body> body) : body_(std::move(body)) {}
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

Result<JsonSchema> JsonSchema::parse(std::string_view text, const std::string& field) {
    if (text.size() > limits::kSchemaBytes) {
        return fail(
            ErrorCode::TOO_LARGE,
            std::to_string(text.size()) + " bytes; at most " + std::to_string(limits::kSchemaBytes),
            field);
    }
    auto body = std::make_unique<Body>();
    try {
        auto root = parse_value(text);
        if (!root) return fail(root.error().code, root.error().message, field);
        Builder builder(*root);
        auto built = builder.build(*root, "", 0);
        if (!built) return fail(built.error().code, built.error().message, field);
        body->document = std::move(*built);
        body->nodes = builder.nodes();
        body->compares_items = builder.compares_items();
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.populateSchema(Adapter(body->document), body->schema);
    } catch (const std::exception& error) {
        return fail(ErrorCode::INVALID, std::string("not a JSON Schema: ") + error.what(), field);
    }
    return JsonSchema(std::move(body));
}

Result<void> JsonSchema::check(std::string_view text, std::uint64_t most_steps) const {
    try {
        auto value = parse_value(text);
        if (!value) return Failure(value.error());
        if (body_->nodes * size_of(*value, body_->compares_items) > most_steps) {
            return fail(ErrorCode::TOO_LARGE, "too large to be checked against its schema");
        }
        valijson::Validator validator;
        valijson::ValidationResults results;
        if (validator.validate(body_->schema, Adapter(*value), &results)) return {};
        return fail(ErrorCode::INVALID, told(results));
    } catch (const std::exception& error) {
        return fail(ErrorCode::INVALID, std::string("cannot be checked: ") + error.what());
    }
}

}  // namespace zq
