// Directory entries of FAT: the short name's, and the long name's that stand before it, last piece
// first. Pure: feed them one by one.
// Invariant: a name that comes out has 1 to 255 bytes, and neither '/' nor NUL; a long name whose
// pieces or checksum don't fit is ignored, and the short one is used.
// Spec: Microsoft, Long Filename Specification 0.5.
#pragma once

#include <string_view>

#include "fs/fat/layout.hpp"

namespace fat {

constexpr uint32_t kEntryBytes = 32;
enum FatAttributes : uint8_t {
    attribute_read_only = 1,
    attribute_label = 8,
    attribute_directory = 16,
    attribute_long_name = 15,
};

struct Entry {
    uint8_t attributes;
    uint32_t first_cluster, bytes;
    uint32_t time, date;  // of the last write
    char name[256];
    uint32_t name_length;

    bool is_directory() const { return attributes & attribute_directory; }
    bool is_dot() const { return view() == "." || view() == ".."; }
    std::string_view view() const { return {name, name_length}; }
    void put(char c) { name[name_length++] = c == '/' || c == '\0' ? '?' : c; }
};

inline uint8_t short_name_sum(const uint8_t* name) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < 11; ++i)
        sum = static_cast<uint8_t>((sum & 1 ? 0x80 : 0) + (sum >> 1) + name[i]);
    return sum;
}

class NameReader {
  public:
    enum class Next : uint8_t { more, entry, end };

    // `raw`: 32 bytes. entry: `to` is complete.
    Next feed(const uint8_t* raw, Entry& to) {
        if (raw[0] == 0) return Next::end;
        if (raw[0] == 0xE5) {
            expected_ = 0;
            return Next::more;
        }
        if ((raw[11] & 0x3F) == attribute_long_name) {
            take_piece(raw);
            return Next::more;
        }
        const bool long_name = complete_ && sum_ == short_name_sum(raw);
        expected_ = 0;
        complete_ = false;
        if (raw[11] & attribute_label) return Next::more;
        to = {};
        to.attributes = raw[11];
        to.first_cluster = little16(raw + 20) << 16 | little16(raw + 26);
        to.time = little16(raw + 22);
        to.date = little16(raw + 24);
        to.bytes = little32(raw + 28);
        if (!long_name || !put_long(to)) put_short(raw, to);
        return to.name_length ? Next::entry : Next::more;
    }

  private:
    static constexpr uint32_t kUnits = 13, kPieces = 20;  // of UTF-16

    void take_piece(const uint8_t* raw) {
        constexpr uint8_t kPlaces[kUnits] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
        const uint32_t number = raw[0] & 0x3F;
        if (raw[0] & 0x40) {
            expected_ = number;
            units_ = number * kUnits;
            sum_ = raw[13];
        }
        complete_ = false;
        if (!number || number > kPieces || number != expected_ || raw[13] != sum_) {
            expected_ = 0;
            return;
        }
        for (uint32_t i = 0; i < kUnits; ++i)
            unit_[(number - 1) * kUnits + i] = static_cast<uint16_t>(little16(raw + kPlaces[i]));
        complete_ = --expected_ == 0;
    }

    // From UTF-16 to UTF-8; false if it is too long or empty.
    bool put_long(Entry& to) const {
        for (uint32_t i = 0; i < units_ && unit_[i]; ++i) {
            uint32_t c = unit_[i];
            const bool pair = c >> 10 == 0x36 && i + 1 < units_ && unit_[i + 1] >> 10 == 0x37;
            if (pair)
                c = 0x10000 + ((c & 0x3FF) << 10) + (unit_[++i] & 0x3FF);
            else if (c >> 11 == 0x1B)
                c = 0xFFFD;  // half of a pair
            const uint32_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
            if (to.name_length + more + 1 > 255) {
                to.name_length = 0;
                return false;
            }
            constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
            to.put(static_cast<char>(kLead[more] | c >> 6 * more));
            for (uint32_t left = more; left-- > 0;)
                to.put(static_cast<char>(0x80 | ((c >> 6 * left) & 0x3F)));
        }
        return to.name_length != 0;
    }

    // "README  TXT" is README.TXT; byte 12 says which half is shown in lower case.
    static void put_short(const uint8_t* raw, Entry& to) {
        auto half = [&](uint32_t from, uint32_t end, bool lower) {
            while (end > from && raw[end - 1] == ' ') --end;
            for (uint32_t i = from; i < end; ++i) {
                const uint8_t c = raw[i];
                if (i == 0 && c == 0x05) {
                    to.put('?');
                } else if (c >= 0x80 || c < 0x20) {
                    to.put('?');  // a code page's
                } else {
                    to.put(static_cast<char>(lower && c >= 'A' && c <= 'Z' ? c + 32 : c));
                }
            }
        };
        half(0, 8, raw[12] & 0x08);
        const uint32_t base = to.name_length;
        to.put('.');
        half(8, 11, raw[12] & 0x10);
        if (to.name_length == base + 1) to.name_length = base;
    }

    uint32_t expected_ = 0, units_ = 0;
    uint8_t sum_ = 0;
    bool complete_ = false;
    uint16_t unit_[kPieces * kUnits] = {};
};

}  // namespace fat
