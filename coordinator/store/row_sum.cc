#include "coordinator/store/row_sum.h"

#include "common/base/check.h"
#include "common/platform/digest.h"
#include "common/platform/pack_tokens.h"

namespace zq::store {
namespace {

std::string bytes_of(std::string_view table, const Statement& row) {
    pack::Writer out;
    out.text(table);
    for (int column = 0; column < row.columns(); ++column) {
        switch (row.kind_at(column)) {
            case ColumnKind::kNull:
                out.nil();
                break;
            case ColumnKind::kInteger:
                out.sint(row.integer_at(column));
                break;
            case ColumnKind::kText:
                out.text(row.text_at(column));
                break;
            case ColumnKind::kBlob:
                out.bytes(row.blob_at(column));
                break;
        }
    }
    return out.take();
}

std::string bytes_of(std::string_view table, std::string_view record) {
    pack::Writer out;
    out.text(table);
    out.bytes(record);
    return out.take();
}

}  // namespace

void RowSum::add(std::string_view table, const Statement& row) {
    add(sha256(bytes_of(table, row)));
}

void RowSum::add(std::string_view table, std::string_view record) {
    add(sha256(bytes_of(table, record)));
}

void RowSum::subtract(std::string_view table, std::string_view record) {
    subtract(sha256(bytes_of(table, record)));
}

void RowSum::subtract(std::string_view table, const Statement& row) {
    subtract(sha256(bytes_of(table, row)));
}

void RowSum::add(const Digest& digest, std::uint64_t times) {
    ZQ_CHECK(times <= UINT32_MAX);  // so the products fit
    std::uint64_t carry = 0;
    for (std::size_t i = digest.bytes.size(); i-- > 0;) {  // big-endian, from the last byte
        const std::uint64_t product = digest.bytes[i] * times + carry;
        const std::uint64_t total = product + sum_.bytes[i];
        sum_.bytes[i] = static_cast<std::uint8_t>(total);
        carry = total >> 8;
    }
}

void RowSum::subtract(const Digest& digest) {
    unsigned borrow = 0;
    for (std::size_t i = digest.bytes.size(); i-- > 0;) {
        const unsigned take = static_cast<unsigned>(digest.bytes[i]) + borrow;
        const unsigned have = sum_.bytes[i];
        borrow = have < take ? 1 : 0;
        sum_.bytes[i] = static_cast<std::uint8_t>(have - take);
    }
}

}  // namespace zq::store
