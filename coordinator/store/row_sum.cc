#include "coordinator/store/row_sum.h"

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

}  // namespace

void RowSum::add(std::string_view table, const Statement& row) {
    add(sha256(bytes_of(table, row)));
}

void RowSum::add(std::string_view table, std::string_view record) {
    pack::Writer out;
    out.text(table);
    out.bytes(record);
    add(sha256(out.take()));
}

void RowSum::add(const Digest& digest) {
    unsigned carry = 0;
    for (std::size_t i = digest.bytes.size(); i-- > 0;) {  // big-endian, from the last byte
        carry += static_cast<unsigned>(sum_.bytes[i]) + digest.bytes[i];
        sum_.bytes[i] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
    }
}

}  // namespace zq::store
