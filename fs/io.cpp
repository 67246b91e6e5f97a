// See io.hpp.
#include "fs/io.hpp"

#include <algorithm>

#include "fs/io_vector.hpp"

namespace {
alignas(4) constexpr uint8_t kZeros[kPageSize] = {};
}

uint32_t ByteSink::put_zeros(uint32_t bytes) {
    uint32_t total = 0;
    while (total < bytes) {
        uint32_t piece = std::min(bytes - total, kPageSize);
        uint32_t done = put(kZeros, piece);
        total += done;
        if (done < piece) break;
    }
    return total;
}

uint32_t UserVectorSink::do_put(const void* from, uint32_t bytes) {
    return ranges_.advance(bytes, [&](VirtAddr at, uint32_t offset, uint32_t piece) {
        return copy_to_user_partly(at, static_cast<const uint8_t*>(from) + offset, piece);
    });
}

uint32_t UserVectorSource::do_take(void* to, uint32_t bytes) {
    return ranges_.advance(bytes, [&](VirtAddr at, uint32_t offset, uint32_t piece) {
        return copy_from_user_partly(static_cast<uint8_t*>(to) + offset, at, piece);
    });
}
