// The machine's terminals: which devices each is made of.
// Invariant: the list is complete before the first program runs; the console is its first.
#include "drivers/console.hpp"
#include "drivers/serial.hpp"
#include "drivers/size_report.hpp"
#include "drivers/tty.hpp"
#include "drivers/vga.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/scheduler.hpp"

namespace {

// Spec: Linux devices.txt, /dev/console, /dev/tty2 and on, /dev/ttyS1
constexpr uint32_t kConsoleDevice = 5 << 8 | 1, kFirstScreenDevice = 4 << 8 | 1,
                   kSecondLineDevice = 4 << 8 | 65;
constexpr std::string_view kScreenNames[kScreens] = {"console", "tty2", "tty3", "tty4"};

constinit Tty* list[kScreens + 1] = {};
constinit uint32_t count = 0;
constinit Tty* of_screen[kScreens] = {};

// A serial line with a terminal at its other end.
struct Line {
    SerialPort& (*port)();
    const char* name;
    Tty* tty = nullptr;
    SizeReport report{};
};
constinit Line lines[] = {{com1, "serial"}, {com2, "serial2"}};

Tty& add_terminal(std::string_view name, uint32_t device, Tty::Output output, uint32_t unit) {
    auto* tty = new (std::nothrow) Tty(name, device, output, unit);
    VERIFY(tty);  // at start-up there is memory
    auto sender = Thread::create(
        "tty", [](void* self) { static_cast<Tty*>(self)->send_signals(); }, tty);
    VERIFY(sender.is_ok());
    start_thread(*sender.value());
    list[count++] = tty;
    return *tty;
}

void connect(Line& line, Tty& tty) {
    line.tty = &tty;
    auto receive = [](void* context, std::span<const uint8_t> bytes) {
        Line& from = *static_cast<Line*>(context);
        from.report.take(
            bytes, [&](std::span<const uint8_t> text) { from.tty->receive(text); },
            [&](uint32_t rows, uint32_t columns) {
                from.tty->set_window_size(
                    {static_cast<uint16_t>(rows), static_cast<uint16_t>(columns), 0, 0});
            });
    };
    if (line.port().start_receiving(line.name, receive, &line).is_error())
        log_warning("tty: no interrupt line for {}", line.name);
}

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

std::span<Tty* const> terminals() { return {list, count}; }
Tty& shown_terminal() { return *of_screen[console_shown_screen()]; }
Tty& console_tty() {
    VERIFY(count);
    return *list[0];
}

void tty_init(std::string_view size) {
    Tty& console = add_terminal(
        kScreenNames[0], kConsoleDevice,
        [](uint32_t, std::span<const uint8_t> bytes) { console_write_raw(bytes); }, 0);
    of_screen[0] = &console;
    WindowSize window;
    if (parse_size(size, window))
        console.set_window_size(window);
    else if (!size.empty())
        log_warning("tty: size '{}' is not COLUMNSxROWS; ignored", size);
    for (uint32_t screen = 1; screen < kScreens && console_add_screen(screen); ++screen)
        of_screen[screen] = &add_terminal(kScreenNames[screen], kFirstScreenDevice + screen,
                                          console_write_screen, screen);
    console_start_refresh([](uint32_t screen, std::span<const uint8_t> bytes) {
        // A terminal on the serial line answers, too, and once is enough.
        if (screen || !com1().present()) of_screen[screen]->receive(bytes);
    });
    if (com1().present()) connect(lines[0], console);
}

void second_line_init() {
    if (!com2().initialise()) return;
    auto write = [](uint32_t, std::span<const uint8_t> bytes) { com2().write(bytes); };
    connect(lines[1], add_terminal("ttyS1", kSecondLineDevice, write, 0));
}
