// Fills described structs (pack.h) from an input: names from a few, so that messages speak of the
// same tasks; contents whose digests are right; lease tokens that were really given out. What comes
// out is mostly valid, and then goes deep into the coordinator, where random bytes stay at its
// door.
#pragma once

#include <array>
#include <vector>

#include "common/platform/digest.h"
#include "common/wire/codec.h"
#include "tests/fuzz/input_reader.h"

namespace zq::fuzz {

/// Words of every enum on the wire, and one of none.
inline constexpr auto kWords = std::to_array<std::string_view>(
    {"queued",    "running",    "completed", "cancelled", "dead",    "error",     "permanent",
     "contract",  "crashed",    "timed_out", "released",  "drained", "try_later", "worker_fault",
     "scheduled", "cancelling", "none",      "fixed",     "exp",     "nonsense"});
inline constexpr auto kNames =
    std::to_array<std::string_view>({"a", "b", "t-1", "t-2", "A.b_c-9", "", "../x", "default"});
inline constexpr auto kTexts = std::to_array<std::string_view>(
    {"", "x", "{\"k\":[1,2]}", "two\nlines", "\xc3\xa4\xe2\x80\xae", "local", "{", "exp:5s..10m"});
inline constexpr auto kMillis = std::to_array<std::int64_t>(
    {0, 1, 100, 1'000, 5'000, 60'000, 1'800'000, 604'800'000, 315'360'000'000, INT64_MAX});
inline constexpr auto kNumbers = std::to_array<std::uint64_t>(
    {0, 1, 2, 3, 7, 100, 1'000, 1ULL << 31, 0xffff'ffff, INT64_MAX, UINT64_MAX});
inline constexpr auto kContents =
    std::to_array<std::string_view>({"", "short", "the content of a file"});

class FieldFiller {
  public:
    /// `tokens`: leases to speak of; may be empty. Both must outlive the filler.
    FieldFiller(InputReader& input, const std::vector<LeaseToken>& tokens)
        : input_(input), tokens_(tokens) {}

    template <class T>
    void operator()(const char*, T& value) {
        fill(value);
    }
    /// Half of the optional fields stay away.
    template <class T>
    void optional(const char*, T& value, const std::type_identity_t<T>& absent = T{}) {
        if (input_.byte() % 2 == 0) {
            value = absent;
        } else {
            fill(value);
        }
    }

    template <class T>
    void fill(T& value) {
        if constexpr (std::is_same_v<T, bool>) {
            value = input_.byte() % 2 == 1;
        } else if constexpr (std::is_enum_v<T>) {
            static_cast<void>(from_text(input_.pick(kWords), value));
        } else if constexpr (std::is_integral_v<T>) {
            value = static_cast<T>(input_.pick(kNumbers));
        } else if constexpr (std::is_same_v<T, std::string>) {
            value = input_.pick(kTexts);
        } else if constexpr (std::is_same_v<T, StateId>) {
            value = StateId(std::string(32, input_.byte() % 2 == 0 ? 'a' : 'b'));
        } else if constexpr (std::is_same_v<T, ClientId>) {
            value = ClientId(std::string(16, input_.byte() % 2 == 0 ? '1' : '2'));
        } else if constexpr (std::is_same_v<T, Namespace>) {
            value = input_.byte() == 255 ? Namespace("other") : kDefaultNamespace;
        } else if constexpr (pack::detail::kIsName<T>) {
            value.text = input_.pick(kNames);
        } else if constexpr (std::is_same_v<T, Bytes>) {
            value.data = input_.pick(kContents);
        } else if constexpr (std::is_same_v<T, Digest>) {
            value = sha256(input_.pick(kContents));
        } else if constexpr (std::is_same_v<T, LeaseToken>) {
            fill_token(value);
        } else if constexpr (std::is_same_v<T, Millis>) {
            value.count = input_.pick(kMillis);
        } else if constexpr (std::is_same_v<T, Instant>) {
            value.ms = input_.pick(kMillis);
        } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
            fill_texts(value);
        } else if constexpr (pack::detail::kIsVector<T>) {
            fill_list(value);
        } else if constexpr (pack::detail::kIsOptional<T>) {
            fill_optional(value);
        } else if constexpr (std::is_same_v<T, ArtifactRef>) {
            fill_ref(value);
        } else if constexpr (std::is_same_v<T, wire::ReportArtifact>) {
            fill_ref(value.ref);
            if (input_.byte() % 2 == 1) value.data = Bytes{content_};
        } else if constexpr (std::is_same_v<T, wire::InlineContent>) {
            value.data.data = input_.pick(kContents);
            value.digest = sha256(value.data.data);
        } else {
            describe(*this, value);
        }
    }

  private:
    void fill_token(LeaseToken& token) {
        const std::uint8_t pick = input_.byte();
        if (tokens_.empty() || pick == 255) {
            token = {input_.number(1), input_.number(5)};
        } else {
            token = tokens_[tokens_.size() - 1 - pick % std::min<std::size_t>(tokens_.size(), 8)];
        }
    }
    void fill_texts(std::map<std::string, std::string>& texts) {
        for (std::size_t left = input_.below(3); left > 0; --left) {
            const std::string key(input_.pick(kNames));
            texts[key] = input_.pick(kTexts);
        }
    }
    template <class T>
    void fill_list(std::vector<T>& list) {
        for (std::size_t left = input_.below(4); left > 0; --left) {
            T element{};
            fill(element);
            list.push_back(std::move(element));
        }
    }
    template <class T>
    void fill_optional(std::optional<T>& value) {
        T element{};
        fill(element);
        value = std::move(element);
    }
    void fill_ref(ArtifactRef& ref) {
        ref.name = input_.pick(kNames);
        content_ = input_.pick(kContents);
        ref.digest = sha256(content_);
        ref.size = input_.byte() == 255 ? input_.number(4) : content_.size();
    }

    InputReader& input_;
    const std::vector<LeaseToken>& tokens_;
    std::string content_;  // of the reference that was filled last
};

}  // namespace zq::fuzz
