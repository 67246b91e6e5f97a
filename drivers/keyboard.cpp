// See keyboard.hpp. The controller is tested and set up by polling; then each key is an interrupt.
#include "drivers/keyboard.hpp"

#include <optional>

#include "drivers/console.hpp"
#include "drivers/keyboard_decoder.hpp"
#include "drivers/tty.hpp"
#include "kernel/arch/interrupts.hpp"
#include "kernel/arch/io.hpp"
#include "kernel/lib/log.hpp"

namespace {

constexpr uint16_t kData = 0x60, kStatus = 0x64, kCommand = 0x64;
constexpr uint32_t kIrq = 1;
// Status
constexpr uint8_t kOutputFull = 1 << 0, kInputFull = 1 << 1, kFromMouse = 1 << 5;
constexpr uint8_t kFloatingBus = 0xFF;
// Controller commands
constexpr uint8_t kReadConfiguration = 0x20, kWriteConfiguration = 0x60, kDisableMouse = 0xA7,
                  kSelfTest = 0xAA, kDisableKeyboard = 0xAD, kEnableKeyboard = 0xAE;
constexpr uint8_t kSelfTestPassed = 0x55;
// Configuration byte
constexpr uint8_t kKeyboardInterrupt = 1 << 0, kMouseInterrupt = 1 << 1, kKeyboardClockOff = 1 << 4,
                  kTranslate = 1 << 6;
// Commands to the keyboard itself
constexpr uint8_t kEnableScanning = 0xF4;
constexpr uint32_t kMaxPolls = 100'000;
constexpr uint32_t kBufferBytes = 16;

constinit KeyboardDecoder decoder;
constinit InterruptHandler keyboard_handler{};

bool send(uint16_t port, uint8_t byte) {
    for (uint32_t i = 0; i < kMaxPolls; ++i) {
        if (in8(kStatus) & kInputFull) continue;
        out8(port, byte);
        return true;
    }
    return false;
}

std::optional<uint8_t> receive() {
    for (uint32_t i = 0; i < kMaxPolls; ++i)
        if (in8(kStatus) & kOutputFull) return in8(kData);
    return {};
}

void discard_input() {
    for (uint32_t i = 0; i < kBufferBytes && in8(kStatus) & kOutputFull; ++i) in8(kData);
}

// The controller translates to scan code set 1, whatever the keyboard speaks.
bool set_up_controller() {
    if (in8(kStatus) == kFloatingBus) return false;
    if (!send(kCommand, kDisableKeyboard) || !send(kCommand, kDisableMouse)) return false;
    discard_input();
    if (!send(kCommand, kSelfTest) || receive() != kSelfTestPassed) return false;
    if (!send(kCommand, kReadConfiguration)) return false;
    auto configuration = receive();
    if (!configuration) return false;
    auto wanted = static_cast<uint8_t>((*configuration & ~(kMouseInterrupt | kKeyboardClockOff)) |
                                       kKeyboardInterrupt | kTranslate);
    return send(kCommand, kWriteConfiguration) && send(kData, wanted) &&
           send(kCommand, kEnableKeyboard);
}

void handle_interrupt(void*) {
    for (uint32_t i = 0; i < kBufferBytes; ++i) {
        uint8_t status = in8(kStatus);
        if (!(status & kOutputFull)) return;
        uint8_t code = in8(kData);
        if (status & kFromMouse) continue;
        std::string_view text = decoder.feed(code);
        if (auto screen = decoder.chosen_screen()) console_show_screen(*screen);
        if (text.empty()) continue;
        shown_terminal().receive({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }
}

}  // namespace

void keyboard_init() {
    if (!set_up_controller()) return log_info("keyboard: no controller");
    send(kData, kEnableScanning);
    receive();  // its acknowledgement
    discard_input();
    keyboard_handler = {"keyboard", handle_interrupt};
    if (attach_interrupt(kIrq, keyboard_handler).is_error())
        log_warning("keyboard: no interrupt line");
}
