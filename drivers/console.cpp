// See console.hpp. Before console_init only the serial port is written; the screen catches up later, at
// most 50 times a second.
#include "drivers/console.hpp"

#include "drivers/serial.hpp"
#include "drivers/vga.hpp"
#include "kernel/lib/log.hpp"
#include "kernel/sched/clock.hpp"
#include "kernel/sync/spin_lock.hpp"

namespace {

constexpr uint32_t kRefreshInterval = 2 * kNanosecondsPerTick;

constinit IrqSpinLock console_lock{LockRank::console};
constinit bool in_panic = false;
constinit bool screen_wanted = true;
constinit bool use_screen = false;  // there is one, and it is wanted
constinit bool refreshed_by_timer = false;
constinit Timer refresh_timer;
using Answer = void (*)(uint32_t screen, std::span<const uint8_t> bytes);
constinit Answer screen_answer = nullptr;

class ConsoleGuard {
  public:
    ConsoleGuard() NO_LOCK_ANALYSIS : locked_(!in_panic) {
        if (locked_) console_lock.lock();
    }
    ~ConsoleGuard() NO_LOCK_ANALYSIS {
        if (locked_) console_lock.unlock();
    }

  private:
    bool locked_;
};

std::span<const uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void put(std::span<const uint8_t> bytes) {
    com1().write(bytes);
    if (use_screen) vga_write(0, bytes);
}

void show() {
    if (use_screen && (!refreshed_by_timer || in_panic)) vga_refresh();
}

}  // namespace

void console_init(const BootFramebuffer& framebuffer, PhysicalMapper map) {
    bool serial = com1().initialise();
    bool screen = vga_init(framebuffer, map);
    use_screen = screen && screen_wanted;
    if (!serial) log_info("serial: no UART at COM1");
    if (!screen) log_info("vga: no screen in text mode");
}

void console_start_refresh(Answer answer) {
    if (!use_screen) return;
    screen_answer = answer;
    refresh_timer.fire = [](Timer& self) {
        for (uint32_t screen = 0; screen < kScreens; ++screen) {
            uint8_t buffer[32];
            std::span<const uint8_t> answers;
            {
                ConsoleGuard guard;
                answers = vga_take_answers(screen, buffer);
            }
            if (!answers.empty()) screen_answer(screen, answers);
        }
        {
            ConsoleGuard guard;
            vga_refresh();
        }
        start_timer(self, monotonic_now() + kRefreshInterval);
    };
    refreshed_by_timer = true;
    start_timer(refresh_timer, monotonic_now() + kRefreshInterval);
}

void console_write(std::string_view text) {
    ConsoleGuard guard;
    while (!text.empty()) {
        size_t line = text.find('\n');
        put(bytes_of(text.substr(0, line)));
        if (line == text.npos) break;
        put(bytes_of("\r\n"));
        text.remove_prefix(line + 1);
    }
    show();
}

void console_write_raw(std::span<const uint8_t> bytes) {
    ConsoleGuard guard;
    put(bytes);
    show();
}

bool console_add_screen(uint32_t screen) { return use_screen && vga_add_screen(screen); }

void console_write_screen(uint32_t screen, std::span<const uint8_t> bytes) {
    ConsoleGuard guard;
    vga_write(screen, bytes);
    show();
}

void console_show_screen(uint32_t screen) {
    ConsoleGuard guard;
    vga_show(screen);
    show();
}

uint32_t console_shown_screen() { return vga_shown(); }

void console_use_screen(bool use) { screen_wanted = use; }

void console_enter_panic() {
    in_panic = true;
    vga_show(0);
}
