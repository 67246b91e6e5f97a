// Bitmap: a view of words as numbered bits, with the search for runs of clear ones.
// Locks: none; the owner of the words guards them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/lib/verify.hpp"

class Bitmap {
  public:
    constexpr Bitmap(std::span<uint32_t> words, uint32_t bits) : words_(words), bits_(bits) {
        VERIFY(bits <= words.size() * 32);
    }
    uint32_t size() const { return bits_; }
    bool test(uint32_t bit) const {
        VERIFY(bit < bits_);
        return words_[bit / 32] >> (bit % 32) & 1;
    }
    void set(uint32_t bit, bool value = true) {
        VERIFY(bit < bits_);
        const uint32_t mask = 1u << (bit % 32);
        words_[bit / 32] = value ? words_[bit / 32] | mask : words_[bit / 32] & ~mask;
    }
    void set_range(uint32_t first, uint32_t count, bool value = true) {
        VERIFY(first <= bits_ && count <= bits_ - first);
        while (count) {
            const uint32_t bit = first % 32, here = std::min(count, 32 - bit);
            const uint32_t mask = (here == 32 ? ~0u : (1u << here) - 1) << bit;
            uint32_t& word = words_[first / 32];
            word = value ? word | mask : word & ~mask;
            first += here;
            count -= here;
        }
    }
    // How many bits in a row are clear from `first` on, at most `most`.
    uint32_t count_clear(uint32_t first, uint32_t most) const {
        uint32_t count = 0;
        most = std::min(most, bits_ - std::min(first, bits_));
        while (count < most) {
            const uint32_t at = first + count, word = words_[at / 32] >> (at % 32);
            if (word & 1) break;
            count += static_cast<uint32_t>(
                std::min(std::countr_zero(word), static_cast<int>(32 - at % 32)));
        }
        return std::min(count, most);
    }

    // The first run of `count` clear bits at `from` or later.
    std::optional<uint32_t> find_clear_run(uint32_t count, uint32_t from = 0) const {
        uint32_t run = 0;
        for (uint32_t at = from; at < bits_;) {
            const uint32_t word = words_[at / 32] >> (at % 32);
            if (word & 1) {
                run = 0;
                at += std::min(std::countr_one(word), static_cast<int>(32 - at % 32));
                if (at % 32 == 0) at = skip_full_words(at);
                continue;
            }
            const auto clear = std::min(std::countr_zero(word), static_cast<int>(32 - at % 32));
            run += static_cast<uint32_t>(clear);
            at += static_cast<uint32_t>(clear);
            if (run >= count && at - run + count <= bits_) return at - run;
        }
        return std::nullopt;
    }

  private:
    // Most of a full disk's bitmap: in as few instructions a word as can be.
    uint32_t skip_full_words(uint32_t at) const {
        const uint32_t *word = words_.data() + at / 32, *end = words_.data() + bits_ / 32;
        while (word < end && *word == ~0u) ++word;
        return static_cast<uint32_t>(word - words_.data()) * 32;
    }

    std::span<uint32_t> words_;
    uint32_t bits_;
};
