#include "common/platform/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace zq {
namespace {

using Value = nlohmann::ordered_json;

// Writing a value recurses: deeper ones are refused where they come in.
constexpr int kJsonDepth = 256;

/// `[json.exception.parse_error.101] parse error at line 1, column 4: …` without the first word.
std::string reason_of(const std::exception& error) {
    std::string text = error.what();
    auto end = text.find("] ");
    if (end != std::string::npos) text = text.substr(end + 2);
    // It quotes what it read, and that may be any bytes.
    if (pack::is_utf8(text)) return text;
    for (char& c : text) {
        if ((static_cast<unsigned char>(c) & 0x80U) != 0) c = '?';
    }
    return text;
}

/// Builds a value from the parser's events, with every float as its text.
class ExactBuilder : public nlohmann::json_sax<Value> {
  public:
    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t, const string_t& text) override { return add(text); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }  // no JSON has it
    bool start_object(std::size_t) override { return open(Value::object()); }
    bool start_array(std::size_t) override { return open(Value::array()); }
    bool key(string_t& name) override {
        key_ = std::move(name);
        return true;
    }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool parse_error(std::size_t, const std::string&,
                     const nlohmann::detail::exception& error) override {
        reason = reason_of(error);
        return false;
    }

    Value root;
    std::string reason;
    bool too_deep = false;

  private:
    bool add(Value value) {
        if (open_.empty()) {
            root = std::move(value);
        } else if (open_.back()->is_array()) {
            open_.back()->push_back(std::move(value));
        } else {
            (*open_.back())[key_] = std::move(value);
        }
        return true;
    }
    bool open(Value value) {
        too_deep = open_.size() >= static_cast<std::size_t>(kJsonDepth);
        if (too_deep) return false;
        const std::string name = key_;
        add(std::move(value));
        // What is open does not move: only the innermost one grows.
        if (open_.empty()) {
            open_.push_back(&root);
        } else {
            Value& parent = *open_.back();
            open_.push_back(parent.is_array() ? &parent.back() : &parent[name]);
        }
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::vector<Value*> open_;
    std::string key_;
};

}  // namespace

struct Json::Body {
    Value value;
};

Json::Json() : body_(std::make_unique<Body>()) {}
Json::Json(const Json& other) : body_(std::make_unique<Body>(*other.body_)) {}
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json& Json::operator=(const Json& other) {
    if (this != &other) body_ = std::make_unique<Body>(*other.body_);
    return *this;
}

Json Json::object() {
    Json json;
    json.body_->value = Value::object();
    return json;
}

Json Json::array() {
    Json json;
    json.body_->value = Value::array();
    return json;
}

Json Json::text(std::string_view value) {
    Json json;
    json.body_->value = std::string(value);
    return json;
}

Json Json::number(std::int64_t value) {
    Json json;
    json.body_->value = value;
    return json;
}

Json Json::number(std::uint64_t value) {
    Json json;
    json.body_->value = value;
    return json;
}

Json Json::boolean(bool value) {
    Json json;
    json.body_->value = value;
    return json;
}

Result<Json> Json::parse(std::string_view text, const std::string& field) {
    int deepest = 0;
    auto watch_depth = [&](int depth, Value::parse_event_t, Value&) {
        deepest = std::max(deepest, depth);
        return depth <= kJsonDepth;
    };
    Json json;
    try {
        json.body_->value = Value::parse(text, watch_depth);
    } catch (const std::exception& error) {
        return fail(ErrorCode::INVALID, "not JSON: " + reason_of(error), field);
    }
    if (deepest > kJsonDepth) return fail(ErrorCode::TOO_LARGE, "JSON nested too deeply", field);
    return json;
}

Result<Json> Json::parse_exact(std::string_view text, const std::string& field) {
    ExactBuilder builder;
    try {
        if (Value::sax_parse(text, &builder)) {
            Json json;
            json.body_->value = std::move(builder.root);
            return json;
        }
    } catch (const std::exception& error) {
        builder.reason = reason_of(error);
    }
    if (builder.too_deep) return fail(ErrorCode::TOO_LARGE, "JSON nested too deeply", field);
    return fail(ErrorCode::INVALID, "not JSON: " + builder.reason, field);
}

Json& Json::set(std::string_view key, Json value) {
    body_->value[std::string(key)] = std::move(value.body_->value);
    return *this;
}

Json& Json::push(Json value) {
    body_->value.push_back(std::move(value.body_->value));
    return *this;
}

bool Json::is_null() const {
    return body_->value.is_null();
}
bool Json::is_object() const {
    return body_->value.is_object();
}
bool Json::is_array() const {
    return body_->value.is_array();
}

std::optional<std::string> Json::as_text() const {
    if (!body_->value.is_string()) return std::nullopt;
    return body_->value.get<std::string>();
}

std::optional<std::int64_t> Json::as_integer() const {
    const Value& value = body_->value;
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    return value.get<std::int64_t>();
}

std::optional<bool> Json::as_boolean() const {
    if (!body_->value.is_boolean()) return std::nullopt;
    return body_->value.get<bool>();
}

std::size_t Json::size() const {
    return body_->value.size();
}

Json Json::at(std::size_t index) const {
    Json json;
    if (is_array() && index < size()) json.body_->value = body_->value[index];
    return json;
}

std::optional<Json> Json::find(std::string_view key) const {
    if (!is_object()) return std::nullopt;
    auto found = body_->value.find(std::string(key));
    if (found == body_->value.end()) return std::nullopt;
    Json json;
    json.body_->value = *found;
    return json;
}

std::vector<std::string> Json::keys() const {
    std::vector<std::string> keys;
    if (!is_object()) return keys;
    for (const auto& item : body_->value.items()) keys.push_back(item.key());
    return keys;
}

std::string Json::dump(int indent) const {
    return body_->value.dump(indent, ' ', false, Value::error_handler_t::replace);
}

std::string to_base64(std::string_view bytes) {
    static constexpr char kAlphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const auto byte = k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U;
            group = group << 8 | byte;
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= have ? kAlphabet[group >> (18 - 6 * k) & 63U] : '=';
        }
    }
    return out;
}

}  // namespace zq
