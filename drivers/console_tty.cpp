// The console's terminal: which devices it is made of.
#include "drivers/console.hpp"
#include "drivers/serial.hpp"
#include "drivers/tty.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

constexpr uint32_t kConsoleDevice = 5 << 8 | 1;  // Spec: Linux devices.txt, /dev/console

constinit Tty* console_terminal = nullptr;

bool parse_size(std::string_view text, WindowSize& size) {
    size_t x = text.find('x');
    uint64_t columns, rows;
    if (x == text.npos || !parse_number(text.substr(0, x), columns) ||
        !parse_number(text.substr(x + 1), rows))
        return false;
    if (columns == 0 || columns > 1000 || rows == 0 || rows > 1000) return false;
    size = {static_cast<uint16_t>(rows), static_cast<uint16_t>(columns), 0, 0};
    return true;
}

}  // namespace

Tty& console_tty() {
    VERIFY(console_terminal);
    return *console_terminal;
}

void tty_init(std::string_view size) {
    console_terminal = new (std::nothrow) Tty("console", kConsoleDevice, console_write_raw);
    VERIFY(console_terminal);
    WindowSize window;
    if (parse_size(size, window))
        console_terminal->set_window_size(window);
    else if (!size.empty())
        log_warning("tty: size '{}' is not COLUMNSxROWS; ignored", size);

    auto sender = Thread::create(
        "tty", [](void*) { console_tty().send_signals(); }, nullptr);
    VERIFY(sender.is_ok());
    start_thread(*sender.value());
    auto answer = [](std::span<const uint8_t> bytes) { console_tty().receive(bytes); };
    console_start_refresh(com1().present() ? nullptr : +answer);
    if (!com1().present()) return;
    auto receive = [](void*, std::span<const uint8_t> bytes) { console_tty().receive(bytes); };
    if (com1().start_receiving("serial", receive, nullptr).is_error())
        log_warning("tty: no interrupt line for COM1");
}
