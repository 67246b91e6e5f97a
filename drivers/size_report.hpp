// The size that a terminal tells of itself, taken out of what it sends: ESC [ 8 ; ROWS ; COLUMNS t, which
// scripts/run sends when its window changes. Pure.
// Invariant: no byte is held that a user can have typed; only what begins like the answer waits for its rest.
// Spec: xterm control sequences, the answer to CSI 18 t.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

class SizeReport {
  public:
    // Calls resize(rows, columns) for each report among the bytes, and deliver(bytes) with all others.
    template <typename Deliver, typename Resize>
    void take(std::span<const uint8_t> bytes, Deliver deliver, Resize resize) {
        for (; !bytes.empty(); bytes = bytes.subspan(1)) {
            if (held_ && !continues(bytes[0])) give_up(deliver);
            if (!held_) {
                const auto other = std::ranges::find(bytes, kStart[0]) - bytes.begin();
                if (other) deliver(bytes.first(other));
                bytes = bytes.subspan(other);
                if (bytes.empty()) return;
            }
            text_[held_++] = bytes[0];
            if (bytes[0] != 't') continue;
            resize(rows_, number_);
            restart();
        }
        if (held_ < kStart.size()) give_up(deliver);
    }

  private:
    static constexpr std::string_view kStart = "\x1B[8;";
    static constexpr uint32_t kMaxNumber = 1000;

    bool continues(uint8_t byte) {
        if (held_ < kStart.size()) return byte == kStart[held_];
        if (byte >= '0' && byte <= '9') {
            number_ = number_ * 10 + byte - '0';
            return number_ <= kMaxNumber && held_ < text_.size();
        }
        if (byte == 't') return rows_ && number_;
        if (byte != ';' || rows_) return false;
        rows_ = number_;
        number_ = 0;
        return rows_ > 0;
    }
    void give_up(auto& deliver) {
        if (held_) deliver(std::span<const uint8_t>(text_.data(), held_));
        restart();
    }
    void restart() { held_ = rows_ = number_ = 0; }

    std::array<uint8_t, 16> text_{};
    uint32_t held_ = 0, rows_ = 0, number_ = 0;
};
